//! The closed words of a pack.

use crate::table::words;

words! {
    /// What a rule governs.
    Effect {
        /// Authorising equipment for a market.
        Authorise = "authorise",
        /// Bringing it into a market.
        Import = "import",
        /// Selling it there.
        Market = "market",
        /// Buying it.
        Buy = "buy",
        /// Contracting with somebody who uses it, or who is listed.
        Contract = "contract",
        /// Paying for it with money of a programme.
        Fund = "fund",
        /// Having it in operation.
        Operate = "operate",
        /// Letting somebody reach into it from afar.
        RemoteAccess = "remote-access",
        /// Supplying to somebody: never a matter of buying from them.
        Export = "export",
        /// Carrying a label or mark.
        Label = "label",
        /// Duties of care: what has to be on file.
        Duty = "duty",
    }
}

words! {
    /// What a rule applies to.
    Tier {
        /// The device around a module.
        Host = "host",
        /// A module by itself.
        Module = "module",
        /// The baseband chip in it.
        Chip = "chip",
        /// The memory in it.
        Memory = "memory",
        /// Who can reach into it from afar.
        Path = "path",
        /// A service, no equipment.
        Service = "service",
        /// Who the contract is with: as the subject of a rule only.
        Seller = "seller",
    }
}

words! {
    /// How far a list reaches beyond who it names.
    Reach {
        /// Who is named, nobody else.
        Named = "named",
        /// Who is named and whom it controls.
        Control = "control",
        /// Also who belongs to it without being controlled: a minority or an unclear tie is for a person to decide.
        Affiliate = "affiliate",
        /// Also who is owned by it to 50 % or more.
        Half = "half",
    }
}

words! {
    /// One of the places where an origin shows. Each rule says which of them it tests.
    Origin {
        /// The name it is sold under.
        Brand = "brand",
        /// Who makes it.
        Maker = "maker",
        /// Who owns or controls the maker.
        Owner = "owner",
        /// Where the maker is led from.
        Headquarters = "headquarters",
        /// Where it is developed.
        RdSeat = "rd-seat",
        /// Where it is made.
        Factory = "factory",
        /// Who signs its firmware.
        FirmwareSigner = "firmware-signer",
    }
}

words! {
    /// What a pack is.
    Standing {
        /// Law that binds.
        Law = "law",
        /// A bill or a listing under consideration: for what-if only, never in force by itself.
        Proposed = "proposed",
        /// The operator's own rules.
        House = "house",
        /// Frameworks that ask for evidence and forbid nothing.
        Evidence = "evidence",
    }
}

words! {
    /// What part of what a listed entity does is covered.
    Covers {
        /// Equipment.
        Equipment = "equipment",
        /// Equipment when it is put to the uses that the entry names.
        EquipmentForUse = "equipment-for-use",
        /// Services only: equipment never matches.
        Service = "service",
        /// The entity, whatever it sells.
        Entity = "entity",
        /// Semiconductors.
        Chips = "chips",
        /// A category of equipment: nobody is named.
        Category = "category",
        /// Supplying to the entity.
        Export = "export",
    }
}

/// Lets serde read the words, so that a wrong one is pointed at in the text.
macro_rules! from_text {
    ($($name:ident),+) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                use crate::table::Word as _;
                let text = String::deserialize(from)?;
                Self::from_name(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is none of {}", Self::ALLOWED.trim())))
            }
        }
    )+};
}
from_text!(Effect, Tier, Reach, Origin, Standing, Covers);

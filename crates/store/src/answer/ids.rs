//! Ids that stay: a device that is known under one keeps it when stronger evidence would give it another.

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::answer::Device;
use umbilical_core::id::content_id;
use umbilical_core::observation::IdKind;

use crate::StoreError;
use crate::db::{Sql, Tx};

/// An id as it is held in memory: `dev-` and 12 hex digits are 16 bytes.
pub(crate) type Key = [u8; 16];

/// The key of an id.
pub(crate) fn key(id: &str) -> Result<Key, StoreError> {
    id.as_bytes()
        .try_into()
        .map_err(|_| StoreError::Invalid(format!("`{}` is no id of a device: dev- and 12 hex digits", umbilical_core::text::clean(id))))
}

/// A device that is in the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub n: i64,
    pub digest: i64,
    pub since: i64,
    /// Whether the answer under way has it.
    pub claimed: bool,
}

/// Every id that was given.
#[derive(Default)]
pub(crate) struct Ids {
    pub known: FxHashMap<Key, Known>,
    alias: FxHashMap<Key, Key>,
    /// Devices that are new in this answer.
    fresh: FxHashSet<Key>,
    /// Devices that may have become part of another.
    merged: FxHashMap<Key, Key>,
    /// Aliases to be written, and whether each is a new row.
    pub new_aliases: Vec<(Key, Key, bool)>,
}

/// How an id was decided.
pub(crate) enum Decided {
    /// Under this id.
    As(Key),
    /// Open until every device of the answer has been seen.
    Open,
}

impl Ids {
    pub async fn load(tx: &mut Tx) -> Result<Self, StoreError> {
        let mut out = Self::default();
        let mut after = i64::MIN;
        loop {
            let mut ask = Sql::new("SELECT n, id, digest, since FROM device WHERE n > ");
            ask.bind(after).push(" ORDER BY n LIMIT 20000");
            let page = tx.fetch(ask).await?;
            let Some(last) = page.last() else { break };
            after = last.int(0)?;
            for row in &page {
                let known = Known { n: row.int(0)?, digest: row.int(2)?, since: row.int(3)?, claimed: false };
                out.known.insert(key(row.text(1)?)?, known);
            }
        }
        for row in tx.fetch(Sql::new("SELECT id, device FROM alias")).await? {
            out.alias.insert(key(row.text(0)?)?, key(row.text(1)?)?);
        }
        Ok(out)
    }

    /// The id of a device that comes first; what can only be told at the end stays open.
    pub fn first(&mut self, device: &Device) -> Result<Decided, StoreError> {
        let computed = key(&device.id)?;
        if self.known.contains_key(&computed) {
            self.claim(computed)?;
            // Two that were known apart may have turned out to be one: the other follows it, unless it comes by itself.
            for id in derived(device).filter(|id| *id != device.id) {
                let id = key(&id)?;
                if self.known.get(&id).is_some_and(|k| !k.claimed) {
                    self.merged.insert(id, computed);
                }
            }
            return Ok(Decided::As(computed));
        }
        if self.earlier(device, computed)?.is_some() {
            return Ok(Decided::Open);
        }
        self.claim(computed)?;
        self.mark(device, computed)?;
        Ok(Decided::As(computed))
    }

    /// The ids that a device may have had before, the surest first.
    pub fn candidates(&self, device: &Device, computed: Key) -> Result<Vec<Key>, StoreError> {
        let mut out: Vec<Key> = self.alias.get(&computed).copied().filter(|id| *id != computed).into_iter().collect();
        for id in derived(device) {
            let id = key(&id)?;
            let of = self.alias.get(&id).copied().or_else(|| self.known.contains_key(&id).then_some(id));
            out.extend(of.filter(|o| *o != computed && !out.contains(o)));
        }
        Ok(out)
    }

    fn earlier(&self, device: &Device, computed: Key) -> Result<Option<Key>, StoreError> {
        Ok(self.candidates(device, computed)?.into_iter().find(|id| !self.taken(id)))
    }

    fn taken(&self, id: &Key) -> bool {
        self.fresh.contains(id) || self.known.get(id).is_some_and(|k| k.claimed)
    }

    /// The id of a device that was left open. `unsure` are candidates that several such devices have by name alone.
    pub fn last(&mut self, device: &Device, unsure: &FxHashSet<Key>) -> Result<Key, StoreError> {
        let computed = key(&device.id)?;
        let earlier = self.candidates(device, computed)?.into_iter().find(|id| !self.taken(id) && !unsure.contains(id));
        let id = earlier.unwrap_or(computed);
        self.claim(id)?;
        if id != computed {
            self.alias(computed, id);
        }
        self.mark(device, id)?;
        Ok(id)
    }

    fn alias(&mut self, id: Key, of: Key) {
        let before = self.alias.insert(id, of);
        if before != Some(of) {
            self.new_aliases.push((id, of, before.is_none()));
        }
    }

    fn claim(&mut self, id: Key) -> Result<(), StoreError> {
        let twice = match self.known.get_mut(&id) {
            Some(known) => std::mem::replace(&mut known.claimed, true),
            None => !self.fresh.insert(id),
        };
        if twice { Err(StoreError::Invalid(format!("the answer has two devices {}", String::from_utf8_lossy(&id)))) } else { Ok(()) }
    }

    /// A device without a number of its own is found again by its card.
    fn mark(&mut self, device: &Device, id: Key) -> Result<(), StoreError> {
        let own: Vec<String> = derived(device).collect();
        if own.contains(&device.id) {
            return Ok(());
        }
        for card in cards(device) {
            self.alias(key(&card)?, id);
        }
        Ok(())
    }

    /// Ids of devices that the answer no longer has; that they were given is remembered.
    pub fn gone(&mut self) -> Vec<(Key, Known)> {
        let mut gone: Vec<(Key, Known)> = self.known.iter().filter(|(_, k)| !k.claimed).map(|(id, k)| (*id, *k)).collect();
        gone.sort_unstable_by_key(|(id, _)| *id);
        for (id, _) in &gone {
            let now = self.merged.get(id).copied().unwrap_or(*id);
            self.alias(*id, now);
        }
        gone
    }
}

/// The ids that each identifier by itself would give, the strongest first; cards last.
fn derived(device: &Device) -> impl Iterator<Item = String> {
    let ids = &device.identifiers;
    let lists = [
        (IdKind::AssetId, &ids.asset_id),
        (IdKind::Serial, &ids.serial),
        (IdKind::Imei, &ids.imei),
        (IdKind::Eid, &ids.eid),
        (IdKind::Mac, &ids.mac),
        (IdKind::Vin, &ids.vin),
        (IdKind::Udi, &ids.udi),
        (IdKind::Name, &device.names),
    ];
    lists.into_iter().flat_map(|(kind, list)| list.iter().map(move |v| content_id("dev-", kind.name(), v))).chain(cards(device))
}

/// What a card's number would give: held apart from ids that are given, and only looked up.
fn cards(device: &Device) -> impl Iterator<Item = String> {
    let ids = &device.identifiers;
    let lists = [("iccid", &ids.iccid), ("imsi", &ids.imsi)];
    lists.into_iter().flat_map(|(kind, list)| list.iter().filter(|v| !v.contains('…')).map(move |v| content_id("dev-", kind, v)))
}

/// The id that a device's name alone would give, for telling who is unsure.
pub(crate) fn by_name(device: &Device) -> Result<Vec<Key>, StoreError> {
    device.names.iter().map(|n| key(&content_id("dev-", IdKind::Name.name(), n))).collect()
}

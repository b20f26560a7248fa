//! Passwords (argon2id) and one-time codes (RFC 6238).

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::Encoding as _;
use totp_rs::{Builder, Secret, Totp};

use crate::{Problem, secret};

/// The shortest password, in characters: length is what counts (NIST SP 800-63B).
pub const SHORTEST: usize = 12;
/// The longest, so that hashing takes no longer than it must.
pub const LONGEST: usize = 512;
/// The shortest login that a password may not hold, in characters.
const TELLS: usize = 4;

/// Memory in KiB, passes and lanes: the first choice of OWASP's password storage page for argon2id with 19 MiB.
fn argon2() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(19_456, 2, 1, None).map_err(Problem::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Whether a password may be chosen.
pub fn fits(password: &str, login: &str) -> Result<(), Problem> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(Problem::at("password", format!("a password has at least {SHORTEST} characters; a few words with blanks are fine")));
    }
    if password.len() > LONGEST {
        return Err(Problem::at("password", format!("a password has at most {LONGEST} bytes")));
    }
    // A login of few letters stands in many words: "eve" in "seven".
    let tells = login.chars().count() >= TELLS && password.to_lowercase().contains(&login.to_lowercase());
    let distinct: std::collections::BTreeSet<char> = password.chars().collect();
    if distinct.len() < 5 || tells {
        return Err(Problem::at(
            "password",
            "this password is too easy to guess: take one of many different characters, without the login in it",
        ));
    }
    Ok(())
}

/// The hash of a password, in PHC form. Takes tens of milliseconds of one core: it runs on a thread of its own.
pub async fn hash(password: String) -> Result<String, Problem> {
    let salt = secret::bytes::<16>()?;
    let work = move || argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map(|h| h.to_string()).map_err(Problem::internal);
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

/// A hash of nothing, so that a login that is not there takes as long as one that is.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a password is that of a hash; `None` is nobody's.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool, Problem> {
    let work = move || {
        let text = hash.as_deref().unwrap_or(NOBODY);
        let parsed = PasswordHash::new(text).map_err(Problem::internal)?;
        let fits = password.len() <= LONGEST && argon2()?.verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(fits && hash.is_some())
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

/// A new secret of one-time codes, in base 32 without padding.
pub fn new_totp() -> Result<String, Problem> {
    Ok(base32(&secret::bytes::<20>()?))
}

/// RFC 4648 base 32, upper case, no padding: what authenticator apps take.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = String::new();
    let (mut buffer, mut bits) = (0u32, 0u32);
    for byte in bytes {
        buffer = (buffer << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(LETTERS.get((buffer >> bits & 31) as usize).copied().map_or('A', char::from));
        }
    }
    if bits > 0 {
        out.push(LETTERS.get((buffer << (5 - bits) & 31) as usize).copied().map_or('A', char::from));
    }
    out
}

fn totp(secret: &str, login: &str) -> Result<Totp, Problem> {
    let secret = Secret::try_from_base32(secret).map_err(|e| Problem::internal(format!("{e:?}")))?;
    // A colon parts issuer and account in the address.
    let account = login.replace(':', "_");
    let build = Builder::new().with_secret(secret).with_account_name(account).with_issuer(Some("Umbilical"));
    build.build().map_err(|e| Problem::internal(format!("{e:?}")))
}

/// The address that apps read from a square code.
pub fn totp_address(secret: &str, login: &str) -> Result<String, Problem> {
    totp(secret, login)?.to_url().map_err(|e| Problem::internal(format!("{e:?}")))
}

/// The step that a code belongs to, if it is right at a time (one step of thirty seconds early or late is right, too).
pub fn step(secret: &str, code: &str, unix: i64) -> Result<Option<u64>, Problem> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    Ok(totp(secret, "")?.check(&code, u64::try_from(unix).unwrap_or(0)))
}

/// Ten codes for the day when the telephone is gone, and what is kept of them.
pub fn recovery() -> Result<(Vec<String>, Vec<String>), Problem> {
    let mut codes = Vec::new();
    for _ in 0..10 {
        let text = base64ct::Base64UrlUnpadded::encode_string(&secret::bytes::<15>()?);
        let plain: String = base32(text.as_bytes()).to_lowercase().chars().take(24).collect();
        codes.push(plain);
    }
    let kept = codes.iter().map(|c| secret::digest(c)).collect();
    Ok((codes, kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_32_is_rfc_4648s() {
        for (text, wanted) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(text.as_bytes()), wanted);
        }
    }

    #[test]
    fn codes_are_rfc_6238s() {
        // Appendix B, SHA-1, eight digits; six of them are the last six.
        let secret = base32(b"12345678901234567890");
        assert_eq!(step(&secret, "287 082", 59).unwrap(), Some(1));
        assert_eq!(step(&secret, "081804", 1_111_111_109).unwrap(), Some(37_037_036));
        assert_eq!(step(&secret, "081804", 1_111_111_109 + 90).unwrap(), None);
        assert_eq!(step(&secret, "", 59).unwrap(), None);
    }

    #[test]
    fn a_password_is_its_own_alone() {
        let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
        run.block_on(async {
            let hash = hash("correct horse battery".into()).await.unwrap();
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
            assert!(verify("correct horse battery".into(), Some(hash.clone())).await.unwrap());
            assert!(!verify("correct horse batterz".into(), Some(hash)).await.unwrap());
            assert!(!verify("anything".into(), None).await.unwrap());
        });
        assert!(fits("correct horse battery", "ana").is_ok());
        // Letters that stand in many words tell nothing; four are a name.
        assert!(fits("seven quiet lamps", "eve").is_ok() && fits("Seven Quiet Lamps", "even").is_err());
        for weak in ["short", "aaaaaaaaaaaaaaaa", "my-name-is-ana-lovelace"] {
            assert!(fits(weak, "ana-lovelace").is_err(), "{weak}");
        }
    }
}

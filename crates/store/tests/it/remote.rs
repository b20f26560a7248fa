//! A PostgreSQL elsewhere, over TLS: its certificate is looked at where the address says so.

use std::net::TcpListener;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use umbilical_store::query::Query;
use umbilical_store::{Scope, Store};

use crate::support::{Folder, NOW, block_on, postgres};

/// An authority, and its certificate in `folder/NAME.pem`.
fn authority(folder: &Path, name: &str) -> Issuer<'static, KeyPair> {
    let (mut of, key) = (CertificateParams::new(Vec::new()).unwrap(), KeyPair::generate().unwrap());
    of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    of.distinguished_name.push(DnType::CommonName, name);
    std::fs::write(folder.join(format!("{name}.pem")), of.self_signed(&key).unwrap().pem()).unwrap();
    Issuer::new(of, key)
}

mod serial {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_known_by_its_certificate() {
        let folder = Folder::new("remote");
        let (ours, _) = (authority(folder.path(), "ours"), authority(folder.path(), "another"));
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ours).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let more = format!("-c listen_addresses=localhost -c port={port} -c ssl=on");
        let prepare = |data: &Path| {
            std::fs::write(data.join("server.crt"), certificate.pem()).unwrap();
            std::fs::write(data.join("server.key"), key.serialize_pem()).unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                std::fs::set_permissions(data.join("server.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
            }
            // From elsewhere nothing without TLS.
            std::fs::write(data.join("pg_hba.conf"), "local all all trust\nhostssl all all all trust\n").unwrap();
        };
        let Some(server) = postgres::Server::with(&more, prepare) else { return };
        server.database_on("elsewhere", Some(port));
        let at = |host: &str, rest: &str| format!("postgres://umbilical@{host}:{port}/elsewhere?{rest}");
        let root = |name: &str| folder.path().join(format!("{name}.pem")).display().to_string();
        block_on(async {
            let verified = at("localhost", &format!("sslmode=verify-full&sslrootcert={}", root("ours")));
            let store = Store::open(&verified, NOW).await.unwrap();
            crate::answers::fleet_of(&store, 20).await;
            assert_eq!(store.count_devices(&Scope::ALL, &Query::all()).await.unwrap(), 20);
            store.close().await;
            for (refused, why) in [
                (at("localhost", &format!("sslmode=verify-full&sslrootcert={}", root("another"))), "another authority"),
                (at("localhost", "sslmode=verify-full"), "no authority of ours"),
                (at("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={}", root("ours"))), "another name than the certificate's"),
                (at("localhost", "sslmode=disable"), "no TLS"),
            ] {
                let error = Store::open(&refused, NOW).await.err().unwrap_or_else(|| panic!("{why}: it was opened"));
                assert!(!error.to_string().is_empty());
                println!("{why}: {error}");
            }
        });
    }
}

//! One suite for both databases: what the store promises, asked of SQLite and of a PostgreSQL of our own.

mod support;

mod answers;
mod decisions;
mod files;
mod imports;
mod incidents;
mod kill;
mod outbox;
mod people;
mod queries;
mod remote;
mod traffic;

mod serial {
    use crate::support::{NOW, block_on, postgres};
    use umbilical_store::Store;

    /// Every case of the suite, one database each in one server: to start a server for each would take longer than they do.
    #[test]
    fn postgres_answers_as_sqlite_does() {
        let Some(server) = postgres::Server::start() else { return };
        for (name, case) in [
            crate::answers::CASES,
            crate::imports::CASES,
            crate::decisions::CASES,
            crate::people::CASES,
            crate::queries::CASES,
            crate::outbox::CASES,
            crate::traffic::CASES,
            crate::incidents::CASES,
        ]
        .concat()
        {
            println!("{name}");
            let place = server.database(name);
            block_on(async {
                let store = Store::open(&place, NOW).await.unwrap();
                case(store.clone()).await;
                store.close().await;
            });
        }
    }
}

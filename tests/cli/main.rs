//! The program `sceau` as its users see it: what it prints, what it writes and how it ends.
//!
//! Most tests run the command line in this process, at a fixed instant; those that are about a
//! process run the program.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where the world is not as it made it"
)]

mod support;

mod canary;
mod certificate;
mod certificate_fetch;
mod dotenv;
mod edit;
mod edit_corpus;
mod edit_large;
mod edit_properties;
mod generated;
mod hostile;
mod init;
mod inspect;
mod key_backups;
mod leavers;
mod man;
mod offboard;
mod project_file;
mod rekey;
mod repository_files;
mod reseal;
mod reseal_bitnami;
mod reseal_clusters;
mod reseal_files;
mod revoking;
mod rotations;
mod round_trip;
mod seal_environments;
mod seal_in_place;
mod seal_items;
mod seal_manifests;
mod seal_refusals;
mod secret_scan;
mod terminal;
mod trace;
mod unseal;

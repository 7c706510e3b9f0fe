//! Many objects, large objects, and objects that are too large.

use cluster::{Cluster, Controller, Namespace};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sealing::resource::SealedSecret;

use crate::sealed::{self, Sealer};

/// A SealedSecret with this many seals of one item each.
fn with_seals(sealer: &Sealer<'_>, count: usize) -> SealedSecret {
    let mut object = sealer.seal("api", &[]);
    let seals = (0..count).map(|n| {
        let item = format!("ITEM_{n}");
        let object = sealer.seal("api", &[(item.as_str(), item.as_bytes())]);
        object
            .spec
            .seals
            .into_iter()
            .next()
            .expect("it has one seal")
    });
    object.spec.seals = seals.collect();
    object
}

#[test]
fn a_hundred_and_twenty_eight_seals_are_opened() {
    sealed::test(async |_, sealer| {
        sealer.apply(&with_seals(sealer, 128)).await;
        let object = sealer.until("api", "Unsealed").await;
        assert_eq!(object.status.expect("it has a status").seals.len(), 128);
        assert_eq!(sealer.items("api").await.len(), 128);
    });
}

#[test]
fn a_hundred_and_twenty_nine_seals_are_refused_by_the_api_server() {
    sealed::test(async |_, sealer| {
        let error = sealer.try_apply(&with_seals(sealer, 129)).await;
        let error = error
            .expect_err("it is more than the schema allows")
            .to_string();
        assert!(error.contains("must have at most 128 items"), "{error}");
    });
}

#[test]
fn values_of_half_a_mebibyte_are_unsealed() {
    sealed::test(async |_, sealer| {
        let large = vec![b'x'; 512 * 1024];
        let items: [(&str, &[u8]); 1] = [("LARGE", &large)];
        sealer.unseal("api", &items).await;
        assert_eq!(sealer.items("api").await["LARGE"], large);
    });
}

#[test]
fn two_hundred_at_once_are_all_unsealed_each_with_one_private_key_operation() {
    sealed::test(async |cluster, sealer| {
        const COUNT: usize = 200;
        let controller = cluster.shared_controller().await;
        let sealed: Vec<_> = (0..COUNT)
            .map(|n| sealer.seal(&format!("api-{n}"), &[("A", n.to_string().as_bytes())]))
            .collect();
        stream::iter(sealed)
            .map(|object| async move { sealer.try_apply(&object).await.map(drop) })
            .buffer_unordered(16)
            .try_collect::<Vec<()>>()
            .await
            .expect("the API server takes them");
        for n in 0..COUNT {
            sealer.until(&format!("api-{n}"), "Unsealed").await;
            let items = sealer.items(&format!("api-{n}")).await;
            assert_eq!(items["A"], n.to_string().as_bytes());
        }
        assert_eq!(attempts(controller, sealer), COUNT);
    });
}

#[test]
fn large_manifests_do_not_add_up_in_memory() {
    const COUNT: usize = 60;
    const MEBIBYTES: u64 = 100;
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut first = Controller::named("first").start(&cluster).await;
        let sealer = Sealer::create(&namespace).await;
        // In base64 they have 900 kB.
        let large = vec![b'x'; 675_000];
        for n in 0..COUNT {
            let object = sealer.seal(&format!("api-{n}"), &[("LARGE", &large)]);
            sealer.apply(&object).await;
        }
        for n in 0..COUNT {
            sealer.until(&format!("api-{n}"), "Unsealed").await;
        }
        let peaks = [peak_memory(&mut first)];
        assert_eq!(first.terminate().await.code(), Some(0));

        // All at once: listed, read, opened and written.
        for n in 0..COUNT {
            sealer.delete_secret(&format!("api-{n}")).await;
        }
        let mut second = Controller::named("second").start(&cluster).await;
        for n in 0..COUNT {
            sealer.until_secret(&format!("api-{n}")).await;
        }
        let peaks = [peaks[0], peak_memory(&mut second)];
        assert!(peaks.iter().all(|peak| *peak < MEBIBYTES), "{peaks:?} MiB");
    });
}

/// The largest resident size so far, in MiB.
fn peak_memory(controller: &mut Controller) -> u64 {
    let path = format!("/proc/{}/status", controller.process().id());
    let status = std::fs::read_to_string(path).expect("the controller runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.expect("Linux has the line VmHWM") / 1024
}

/// The number of private-key uses for this namespace, by the audit.
pub(crate) fn attempts(controller: &Controller, sealer: &Sealer<'_>) -> usize {
    let here = format!("\"namespace\":\"{}\"", sealer.namespace.name());
    let log = controller.log();
    log.lines()
        .filter(|line| line.contains("\"target\":\"audit\"") && line.contains(&here))
        .count()
}

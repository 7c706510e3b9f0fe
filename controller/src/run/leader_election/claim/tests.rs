use super::*;

const US: Holder<'static> = Holder {
    identity: "us",
    duration: Duration::from_secs(30),
};
const THEM: Holder<'static> = Holder {
    identity: "them",
    duration: Duration::from_secs(15),
};

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rival(lease: &Lease, known: Option<OtherHolder>, now: Instant) -> Option<OtherHolder> {
    OtherHolder::of(lease, US.identity, known, now)
}

#[test]
fn a_free_lease_or_our_own_has_no_other_holder() {
    let now = Timestamp::UNIX_EPOCH;
    let ours = new("lease", US, now);
    assert_eq!(rival(&ours, None, Instant::now()), None);
    assert_eq!(rival(&Lease::default(), None, Instant::now()), None);
    let released = release(new("lease", THEM, now), now);
    assert_eq!(rival(&released, None, Instant::now()), None);
}

#[test]
fn a_holder_is_gone_when_its_lease_did_not_change_for_its_duration() {
    let began = Instant::now();
    let after = |seconds| began + Duration::from_secs(seconds);
    // Their clock is years behind. That must have no effect.
    let lease = new("lease", THEM, instant("2001-01-01T00:00:00Z"));
    let first = rival(&lease, None, began);
    assert!(!first.clone().unwrap().is_gone(after(14)));
    let seen_again = rival(&lease, first, after(14));
    assert!(!seen_again.clone().unwrap().is_gone(after(14)));
    assert!(seen_again.clone().unwrap().is_gone(after(15)));

    let renewed = renew(lease, instant("2001-01-01T00:00:14Z"));
    let renewed = rival(&renewed, seen_again, after(15)).unwrap();
    assert!(!renewed.is_gone(after(29)));
    assert!(renewed.is_gone(after(30)));
}

#[test]
fn taking_over_keeps_the_resource_version_and_counts() {
    let mut lease = new("lease", THEM, instant("2026-01-01T00:00:00Z"));
    lease.metadata.resource_version = Some("7".to_owned());
    assert_eq!(lease.spec.as_ref().unwrap().lease_transitions, Some(0));
    let taken = take(lease, US, instant("2026-01-02T00:00:00Z"));
    assert_eq!(taken.metadata.resource_version.as_deref(), Some("7"));
    let spec = taken.spec.unwrap();
    assert_eq!(spec.holder_identity.as_deref(), Some("us"));
    assert_eq!(spec.lease_transitions, Some(1));
    assert_eq!(spec.lease_duration_seconds, Some(30));
    assert_eq!(spec.acquire_time, spec.renew_time);
}

#[test]
fn a_renewal_moves_one_time_only() {
    let lease = new("lease", US, instant("2026-01-01T00:00:00Z"));
    let renewed = renew(lease.clone(), instant("2026-01-01T00:00:02Z"));
    let (before, after) = (lease.spec.unwrap(), renewed.spec.unwrap());
    assert_eq!(
        after.renew_time,
        Some(MicroTime(instant("2026-01-01T00:00:02Z")))
    );
    assert_eq!(
        LeaseSpec {
            renew_time: before.renew_time.clone(),
            ..after
        },
        before
    );
}

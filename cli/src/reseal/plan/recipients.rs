//! The recipients of a seal, before and after resealing.

use std::collections::BTreeSet;

use sealing::resource::WrappedFileKey;

use super::Pin;

/// Whether recipients are exactly the pinned ones, in any order.
pub(super) fn are_current(recipients: &[WrappedFileKey], pins: &[Pin]) -> bool {
    let wrapped: BTreeSet<_> = recipients
        .iter()
        .map(|recipient| recipient.key_id.clone())
        .collect();
    let pinned: BTreeSet<_> = pins.iter().map(Pin::id).collect();
    wrapped == pinned
}

/// The recipients of a seal after it was wrapped for new ones. Pinned recipients stay unchanged.
/// The others are removed once no pinned one is missing: until then, the cluster of a missing one
/// may need them.
pub(in crate::reseal) fn merged(
    old: &[WrappedFileKey],
    pins: &[Pin],
    fresh: Vec<WrappedFileKey>,
) -> Vec<WrappedFileKey> {
    let is_wrapped = |pin: &Pin| pin.is_among(old) || pin.is_among(&fresh);
    if !pins.iter().all(is_wrapped) {
        return old.iter().cloned().chain(fresh).collect();
    }
    // New recipients take the lines of removed ones, so that the diff of the file is small.
    let mut fresh = fresh.into_iter();
    let mut kept = BTreeSet::new();
    let mut merged: Vec<_> = old
        .iter()
        .filter_map(|recipient| {
            let is_pinned = pins.iter().any(|pin| pin.id() == recipient.key_id);
            if is_pinned && kept.insert(&recipient.key_id) {
                Some(recipient.clone())
            } else {
                fresh.next()
            }
        })
        .collect();
    merged.extend(fresh);
    merged
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use sealing::SealingKey;

    use super::*;

    fn pins() -> Vec<Pin> {
        let keys = [
            include_str!("../../../../tests/vectors/test-2048.key"),
            include_str!("../../../../tests/vectors/test-4096.key"),
        ];
        let pin = |pem| Pin {
            certificate: PathBuf::new(),
            recipient: SealingKey::parse_pem(pem).unwrap()[0].recipient().clone(),
        };
        keys.map(pin).into()
    }

    fn wrapped(key_id: &str, wrapped: &str) -> WrappedFileKey {
        WrappedFileKey {
            key_id: key_id.to_owned(),
            suite: String::new(),
            wrapped: wrapped.to_owned(),
        }
    }

    #[track_caller]
    fn check(old: &[&str], fresh: &[&str], expected: &[&str]) {
        let pins = pins();
        let recipient = |text: &&str| {
            let (name, text) = text.split_at(1);
            match name {
                "A" => wrapped(&pins[0].id(), text),
                "B" => wrapped(&pins[1].id(), text),
                other => wrapped(other, text),
            }
        };
        let all = |texts: &[&str]| texts.iter().map(recipient).collect::<Vec<_>>();
        let result = merged(&all(old), &pins, all(fresh));
        assert_eq!(result, all(expected));
        let complete = ["A", "B"]
            .iter()
            .all(|name| expected.iter().any(|text| text.starts_with(name)));
        assert_eq!(are_current(&result, &pins), complete);
        assert_eq!(merged(&result, &pins, Vec::new()), result);
    }

    #[test]
    fn pinned_recipients_stay_and_others_are_replaced() {
        check(&["x1", "y1"], &["A2", "B2"], &["A2", "B2"]);
        check(&["x1", "A1"], &["B2"], &["B2", "A1"]);
        check(&["A1", "x1"], &["B2"], &["A1", "B2"]);
        check(&["A1"], &["B2"], &["A1", "B2"]);
        check(&["x1"], &["A2", "B2"], &["A2", "B2"]);
        check(&["x1", "B1", "y1", "A1"], &[], &["B1", "A1"]);
        check(&["B1", "A1", "A3", "x1"], &[], &["B1", "A1"]);
    }

    #[test]
    fn no_recipient_is_removed_while_a_pinned_one_is_missing() {
        check(&["x1", "y1"], &["A2"], &["x1", "y1", "A2"]);
        check(&["x1", "y1", "A2"], &[], &["x1", "y1", "A2"]);
        check(&["x1", "y1", "A2"], &["B2"], &["B2", "A2"]);
    }
}

//! Re-keying after the private keys leaked: they are revoked first, and broken seals are reported.

use std::collections::BTreeSet;

use sealing::KeyId;

use super::{
    ATTEMPTS, Consent, Rekeying,
    compromise::{Broken, RemainingKeys, RevocationStep, revocation_step},
    explain,
    observed::{Active, Observed},
    report_revoked, sealed_secrets,
};
use crate::{
    cluster::{Cluster, ClusterError},
    error::{CommandError, Result},
    reseal::{self, FoundSeal},
    ui::{self, Io},
};

/// Revokes the keys of an environment in one cluster, waits for the next one and pins its
/// certificate. Reports the broken seals, and fails if there are any.
pub(crate) fn compromised(
    rekeying: &Rekeying<'_>,
    consent: Consent,
    io: &mut Io<'_>,
) -> Result<()> {
    let name = rekeying.environment;
    let pins = rekeying.pins(io)?;
    let revocation = Revocation {
        rekeying,
        cluster: rekeying.login.cluster(name, rekeying.project)?,
        pinned: pins.iter().map(|pin| pin.recipient.id()).collect(),
        seals: reseal::survey(rekeying.project, name, io)?,
    };
    let Some((index, observed)) = revocation.revoke(consent, io)? else {
        return Ok(());
    };
    let Observed {
        active, revoked, ..
    } = observed;
    let next = match active {
        Some(active) if !revoked.contains(&active.id().to_string()) => {
            let id = active.id();
            ui::note(
                io,
                format_args!(
                    "{id} is newer and stays active: if it leaked too, run this again after it is pinned"
                ),
            );
            active
        }
        old => rekeying.wait(&revocation.cluster, old.as_ref())?,
    };
    let broken = revocation
        .remaining_keys(revoked, Some(next.id()))
        .broken(&revocation.seals);
    rekeying.print(&broken, Broken::table, io)?;
    rekeying.pin(&pins[index].certificate, &next, io)?;
    verdict(broken.len(), io)
}

fn verdict(broken: usize, io: &mut Io<'_>) -> Result<()> {
    ui::note(
        io,
        "the old keys decrypt old commits forever: rotate every value that was ever sealed to them, at its provider",
    );
    if broken == 0 {
        return Ok(());
    }
    ui::note(
        io,
        "Secrets in the cluster stay unchanged until you set the items of their seals again",
    );
    Err(CommandError::check(format!(
        "not decryptable with the remaining keys, or unknown: {}",
        reseal::seals(broken)
    ))
    .hint("set each of their items again: `sceau set FILE ITEM`"))
}

/// The revocation of an environment's keys in one cluster.
struct Revocation<'a> {
    rekeying: &'a Rekeying<'a>,
    cluster: Cluster,
    /// The ids of the pinned keys.
    pinned: Vec<KeyId>,
    /// The seals of the repository.
    seals: Vec<FoundSeal>,
}

impl Revocation<'_> {
    /// Revokes until no leaked key is left. Returns the index of the certificate to replace, and
    /// the keys after the revocation; nothing if the user did not confirm.
    fn revoke(&self, consent: Consent, io: &mut Io<'_>) -> Result<Option<(usize, Observed)>> {
        let name = self.rekeying.environment;
        let mut is_agreed = false;
        for _ in 0..ATTEMPTS {
            let environment = self.cluster.environment(name)?;
            let observed = Observed::of(&environment)?;
            let ids = match revocation_step(&observed, &self.pinned)? {
                RevocationStep::Replace(index) => return Ok(Some((index, observed))),
                RevocationStep::Revoke(ids) => ids,
            };
            if !is_agreed {
                self.announce(&observed, &ids, io);
                is_agreed = consent.confirm("Revoke them now?", io)?;
            }
            if !is_agreed {
                return Ok(None);
            }
            match self.cluster.revoke(name, &environment, &ids) {
                Ok(()) => report_revoked(&ids, io),
                Err(ClusterError::Changed(_)) => {}
                Err(error) => return Err(explain(error)),
            }
        }
        Err(ClusterError::Changed(name.clone()).into())
    }

    /// Prints the effects of a revocation.
    fn announce(&self, observed: &Observed, ids: &[String], io: &mut Io<'_>) {
        for status in observed
            .unrevoked()
            .filter(|status| ids.contains(&status.key_id))
        {
            let (id, count) = (&status.key_id, sealed_secrets(status.sealed_secrets));
            ui::note(
                io,
                format_args!("to be revoked: {id}, which decrypts {count} in the cluster"),
            );
        }
        let revoked = observed.revoked.iter().chain(ids).cloned().collect();
        let active = observed.active.as_ref().map(Active::id);
        let broken = self
            .remaining_keys(revoked, active)
            .broken(&self.seals)
            .len();
        ui::warn(
            io,
            format_args!(
                "the remaining keys will not decrypt {} of this repository, or may not: set their items again",
                reseal::seals(broken)
            ),
        );
    }

    fn remaining_keys(
        &self,
        revoked: BTreeSet<String>,
        active: Option<KeyId>,
    ) -> RemainingKeys<'_> {
        RemainingKeys {
            revoked,
            active,
            pinned: &self.pinned,
        }
    }
}

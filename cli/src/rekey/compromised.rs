//! Re-keying when somebody has the private keys: they are revoked first, and what breaks is told.

use std::collections::BTreeSet;

use sealing::KeyId;

use super::{
    ATTEMPTS, Consent, Rekeying,
    compromise::{Broken, Opening, Step, step},
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

/// Revokes the keys of an environment in one cluster, waits for the next one, pins its certificate
/// and tells what does not open any more; that is an error of its own.
pub(crate) fn compromised(
    rekeying: &Rekeying<'_>,
    consent: Consent,
    io: &mut Io<'_>,
) -> Result<()> {
    let name = rekeying.environment;
    let pins = rekeying.pins(io)?;
    let scene = Scene {
        rekeying,
        cluster: rekeying.login.cluster(name, rekeying.project)?,
        pinned: pins.iter().map(|pin| pin.recipient.id()).collect(),
        seals: reseal::survey(rekeying.project, name, io)?,
    };
    let Some((index, observed)) = scene.revoke(consent, io)? else {
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
                    "{id} is newer and is kept: if it leaked too, run this again when it is pinned"
                ),
            );
            active
        }
        old => rekeying.wait(&scene.cluster, old.as_ref())?,
    };
    let broken = scene.opening(revoked, Some(next.id())).broken(&scene.seals);
    rekeying.print(&broken, Broken::table, io)?;
    rekeying.pin(&pins[index].certificate, &next, io)?;
    verdict(broken.len(), io)
}

fn verdict(broken: usize, io: &mut Io<'_>) -> Result<()> {
    ui::note(
        io,
        "whoever has the old keys can open old commits for good: renew every value that was ever sealed to them, where it comes from",
    );
    if broken == 0 {
        return Ok(());
    }
    ui::note(
        io,
        "Secrets in the cluster stay as they are until the items of their seals are set anew",
    );
    Err(CommandError::check(format!(
        "open no more, or cannot be judged: {}",
        reseal::seals(broken)
    ))
    .hint("give each of their items a new value: `sceau set FILE ITEM`"))
}

/// Where it happens.
struct Scene<'a> {
    rekeying: &'a Rekeying<'a>,
    cluster: Cluster,
    /// The ids of the pinned keys.
    pinned: Vec<KeyId>,
    /// Those of the repository.
    seals: Vec<FoundSeal>,
}

impl Scene<'_> {
    /// Revokes until nothing is left to be: the index of the certificate that is to be replaced, and
    /// the keys as they are then. Nothing when nobody agreed.
    fn revoke(&self, consent: Consent, io: &mut Io<'_>) -> Result<Option<(usize, Observed)>> {
        let name = self.rekeying.environment;
        let mut is_agreed = false;
        for _ in 0..ATTEMPTS {
            let environment = self.cluster.environment(name)?;
            let observed = Observed::of(&environment)?;
            let ids = match step(&observed, &self.pinned)? {
                Step::Replace(index) => return Ok(Some((index, observed))),
                Step::Revoke(ids) => ids,
            };
            if !is_agreed {
                self.announce(&observed, &ids, io);
                is_agreed = consent.to("Revoke them now?", io)?;
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

    /// Says what a revocation will come to.
    fn announce(&self, observed: &Observed, ids: &[String], io: &mut Io<'_>) {
        for status in observed
            .unrevoked()
            .filter(|status| ids.contains(&status.key_id))
        {
            let (id, opened) = (&status.key_id, sealed_secrets(status.sealed_secrets));
            ui::note(
                io,
                format_args!("to be revoked: {id}, which opens {opened} in the cluster"),
            );
        }
        let revoked = observed.revoked.iter().chain(ids).cloned().collect();
        let active = observed.active.as_ref().map(Active::id);
        let broken = self.opening(revoked, active).broken(&self.seals).len();
        ui::warn(
            io,
            format_args!(
                "of this repository, {} will open no more, or cannot be judged: their items need new values",
                reseal::seals(broken)
            ),
        );
    }

    fn opening(&self, revoked: BTreeSet<String>, active: Option<KeyId>) -> Opening<'_> {
        Opening {
            revoked,
            active,
            pinned: &self.pinned,
        }
    }
}

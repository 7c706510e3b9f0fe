//! The end of a re-keying: the old keys are revoked, if nothing needs them.

use super::{
    ATTEMPTS, Consent, Rekeying, explain,
    observed::Observed,
    old_keys::{OldKeys, old_keys},
    report_revoked,
};
use crate::{
    cluster::ClusterError,
    error::{CommandError, Result},
    reseal,
    ui::{self, Io},
};

/// Revokes the old keys of an environment in one cluster, unless a seal needs one of them.
pub(crate) fn finish(rekeying: &Rekeying<'_>, consent: Consent, io: &mut Io<'_>) -> Result<()> {
    let name = rekeying.environment;
    let pins = rekeying.pins(io)?;
    let seals = reseal::survey(rekeying.project, name, io)?;
    let cluster = rekeying.login.cluster(name, rekeying.project)?;
    let read = || {
        let environment = cluster.environment(name)?;
        let old = old_keys(&Observed::of(&environment)?, &pins, &seals)?;
        Ok::<_, CommandError>((environment, old))
    };
    let (mut environment, mut old) = read()?;
    rekeying.print(&old.report(), OldKeys::table, io)?;
    reject_needed(&old, rekeying)?;
    if !old.unjudged.is_empty() && !consent.confirm(QUESTION, io)? {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        if old.ids.is_empty() {
            ui::note(
                io,
                format_args!("{name} has no old keys: nothing was revoked"),
            );
            return Ok(());
        }
        match cluster.revoke(name, &environment, &old.ids) {
            Ok(()) => {
                report(&old, rekeying, io);
                return Ok(());
            }
            Err(ClusterError::Changed(_)) => (environment, old) = read()?,
            Err(error) => return Err(explain(error)),
        }
        if !old.needs.is_empty() {
            break;
        }
    }
    Err(ClusterError::Changed(name.clone()).into())
}

const QUESTION: &str =
    "Some manifests do not name the key that they are sealed to. Revoke the old keys anyway?";

fn reject_needed(old: &OldKeys, rekeying: &Rekeying<'_>) -> Result<()> {
    if old.needs.is_empty() {
        return Ok(());
    }
    let name = rekeying.environment;
    Err(
        CommandError::check("nothing was revoked: an old key is needed")
            .hint(format!(
                "reseal with `sceau reseal --environment {name}`, commit, and wait for the sync"
            ))
            .hint(
                "check other branches and repositories for SealedSecrets that only the cluster has",
            ),
    )
}

fn report(old: &OldKeys, rekeying: &Rekeying<'_>, io: &mut Io<'_>) {
    let name = rekeying.environment;
    report_revoked(&old.ids, io);
    ui::note(
        io,
        "other branches and older commits were not checked: what is sealed to the old keys there is no longer decryptable",
    );
    ui::note(
        io,
        format_args!(
            "you can delete the Secrets of the old keys; back them up first to keep old commits decryptable\n\
             find them: kubectl get secrets --namespace sceau-system --selector sceau.dev/environment={name}"
        ),
    );
}

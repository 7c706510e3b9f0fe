//! The end of a re-keying: the old keys are revoked, once nothing needs them.

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

/// Revokes the old keys of an environment in one cluster, unless something needs one of them.
pub(crate) fn finish(rekeying: &Rekeying<'_>, consent: Consent, io: &mut Io<'_>) -> Result<()> {
    let name = rekeying.environment;
    let pins = rekeying.pins(io)?;
    let seals = reseal::survey(rekeying.project, name, io)?;
    let cluster = rekeying.login.cluster(name, rekeying.project)?;
    let look = || {
        let environment = cluster.environment(name)?;
        let old = old_keys(&Observed::of(&environment)?, &pins, &seals)?;
        Ok::<_, CommandError>((environment, old))
    };
    let (mut environment, mut old) = look()?;
    rekeying.print(&old.report(), OldKeys::table, io)?;
    refuse_needed(&old, rekeying)?;
    if !old.unjudged.is_empty() && !consent.to(QUESTION, io)? {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        if old.ids.is_empty() {
            ui::note(
                io,
                format_args!("{name} has no old key left: nothing is to be done"),
            );
            return Ok(());
        }
        match cluster.revoke(name, &environment, &old.ids) {
            Ok(()) => {
                tell(&old, rekeying, io);
                return Ok(());
            }
            Err(ClusterError::Changed(_)) => (environment, old) = look()?,
            Err(error) => return Err(explain(error)),
        }
        if !old.needs.is_empty() {
            break;
        }
    }
    Err(ClusterError::Changed(name.clone()).into())
}

const QUESTION: &str =
    "Some manifests do not tell which key they are sealed to. Revoke the old keys all the same?";

fn refuse_needed(old: &OldKeys, rekeying: &Rekeying<'_>) -> Result<()> {
    if old.needs.is_empty() {
        return Ok(());
    }
    let name = rekeying.environment;
    Err(
        CommandError::check("nothing was revoked: an old key is needed")
            .hint(format!(
                "bring what needs it to the new key with `sceau reseal --environment {name}`, commit, and let it sync"
            ))
            .hint("what only the cluster has stands in another branch or repository, or was not synced yet"),
    )
}

fn tell(old: &OldKeys, rekeying: &Rekeying<'_>, io: &mut Io<'_>) {
    let name = rekeying.environment;
    report_revoked(&old.ids, io);
    ui::note(
        io,
        "what is sealed to it in other branches and in older commits was not looked at, and opens no more",
    );
    ui::note(
        io,
        format_args!(
            "its Secret may be deleted, once there is a backup if old commits are to stay readable\n\
             find it: kubectl get secrets --namespace sceau-system --selector sceau.dev/environment={name}"
        ),
    );
}

//! A model of all causes of a second renewal: two replicas that both act as leader, views that lag,
//! crashes between any two steps, and clocks that are set back and forth.
//!
//! Decisions, key Secrets and their parser are the real ones. The API server is a list.

use std::sync::LazyLock;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use proptest::{collection::vec, prelude::*, sample::select};
use sealing::SealingKey;
use serde_json::{Value, json};

use super::*;
use crate::{
    fixtures::{Given, at, environment_name, received_environment},
    keys::key_secret::{KeySecret, NewKey, StoredKey},
};

/// More keys than a run generates.
static POOL: LazyLock<[SealingKey; 12]> =
    LazyLock::new(|| std::array::from_fn(|_| SealingKey::generate(2048).unwrap()));

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// The next step. The number is the replica's.
#[derive(Debug, Clone)]
enum Step {
    /// A person requests a new key, this many half seconds from now.
    Ask(u16),
    /// Its clock is now this many seconds ahead.
    SetClock(usize, i64),
    Crash(usize),
    Decide(usize),
    /// Its watches show everything, or only the next key Secret.
    Look(usize),
    Glimpse(usize),
    /// This many seconds pass.
    Pass(u16),
    /// The decision reaches the API server.
    Write(usize),
}

#[derive(Default)]
struct Replica {
    ahead: i64,
    seen: usize,
    seen_orders: usize,
    deciding: Option<NewKeySpec>,
}

/// The API server, the replicas, and the time by the API server's clock.
struct World {
    renew_period: &'static str,
    now: Timestamp,
    secrets: Vec<Secret>,
    cutoffs: Vec<Timestamp>,
    replicas: [Replica; 2],
}

impl World {
    fn new(renew_period: &'static str) -> Self {
        Self {
            renew_period,
            now: at("2026-06-01T12:00:00Z"),
            secrets: Vec::new(),
            cutoffs: Vec::new(),
            replicas: Default::default(),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Ask(half_seconds) => self.ask(half_seconds),
            Step::SetClock(of, ahead) => self.replicas[of].ahead = ahead,
            Step::Crash(of) => {
                self.replicas[of].deciding = None;
                self.look(of);
            }
            Step::Decide(of) => self.replicas[of].deciding = self.plan(of).new_key,
            Step::Look(of) => self.look(of),
            Step::Glimpse(of) => {
                let seen = &mut self.replicas[of].seen;
                *seen = self.secrets.len().min(*seen + 1);
            }
            Step::Pass(seconds) => self.now += Duration::from_secs(seconds.into()),
            Step::Write(of) => self.write(of),
        }
    }

    /// Like `sceau rekey`: after now, and after the creation of the active key.
    fn ask(&mut self, half_seconds: u16) {
        let created_at = self
            .active()
            .map_or(self.now, |active| active.effective_creation());
        let later = Duration::from_secs(1) + Duration::from_millis(500) * half_seconds.into();
        self.cutoffs.push(created_at.max(self.now) + later);
    }

    fn look(&mut self, of: usize) {
        self.replicas[of].seen = self.secrets.len();
        self.replicas[of].seen_orders = self.cutoffs.len();
    }

    fn plan(&self, of: usize) -> Plan {
        let replica = &self.replicas[of];
        let spec = self.spec(replica.seen_orders);
        let store = self.store(replica.seen, &spec);
        let observed = Observed {
            environment: &received_environment("prod", spec),
            store: &store,
            recipients: &[],
        };
        plan(
            &observed,
            self.now + jiff::SignedDuration::from_secs(replica.ahead),
        )
    }

    fn spec(&self, cutoffs: usize) -> Value {
        let cutoff = self.cutoffs[..cutoffs].last().map(ToString::to_string);
        json!({
            "namespaces": ["shop"],
            "sealingKeys": {"renewPeriod": self.renew_period, "cutoffTime": cutoff},
        })
    }

    fn store(&self, seen: usize, spec: &Value) -> ClusterStore {
        let given = Given::default().environment("prod", spec.clone());
        let secrets = self.secrets[..seen].iter();
        secrets
            .fold(given, |given, secret| {
                given.key_secret(&secret.name_any(), KeySecret::read(secret.clone()))
            })
            .store()
    }

    /// The API server accepts a name once.
    fn write(&mut self, of: usize) {
        let Some(new_key) = self.replicas[of].deciding.take() else {
            return;
        };
        if self
            .secrets
            .iter()
            .any(|secret| secret.name_any() == new_key.secret)
        {
            return;
        }
        let sealing_key = &POOL[self.secrets.len()];
        let new = NewKey::of(sealing_key, &new_key.environment, new_key.created_at).unwrap();
        let body = new.secret(
            &new_key.secret,
            new_key.environment.as_str(),
            new_key.cutoff,
        );
        let mut secret: Secret =
            serde_json::from_value(serde_json::to_value(body).unwrap()).unwrap();
        let items = secret.string_data.take().unwrap().into_iter();
        secret.data = Some(
            items
                .map(|(item, text)| (item, ByteString(text.into_bytes())))
                .collect(),
        );
        let second = Timestamp::from_second(self.now.as_second()).unwrap();
        secret.metadata.creation_timestamp = Some(Time(second));
        self.secrets.push(secret);
    }

    /// The active key in a view that is up to date.
    fn active(&self) -> Option<StoredKey> {
        let spec = self.spec(self.cutoffs.len());
        let store = self.store(self.secrets.len(), &spec);
        let known = store.environment(&environment_name("prod")).unwrap();
        let keys = store.keys_of(known);
        active(&keys).map(|active| active.stored.clone())
    }

    /// All views are up to date, all clocks are right, and all requests are due.
    fn settle(&mut self) {
        let due = self.cutoffs.iter().copied().max().unwrap_or(self.now);
        self.now = self.now.max(due);
        for of in [0, 1, 0, 1] {
            self.replicas[of].ahead = 0;
            self.look(of);
            self.take(&Step::Decide(of));
            self.write(of);
        }
        self.look(0);
        assert_eq!(self.plan(0).new_key, None, "the replicas never settle");
    }
}

fn step(ahead: Vec<i64>, asks: bool) -> impl Strategy<Value = Step> {
    let replica = || 0..2_usize;
    prop_oneof![
        u32::from(asks) => (0..20_000_u16).prop_map(Step::Ask),
        3 => (replica(), select(ahead)).prop_map(|(of, ahead)| Step::SetClock(of, ahead)),
        1 => replica().prop_map(Step::Crash),
        6 => replica().prop_map(Step::Decide),
        4 => replica().prop_map(Step::Look),
        2 => replica().prop_map(Step::Glimpse),
        2 => prop_oneof![0..3_u16, 0..30_u16].prop_map(Step::Pass),
        6 => replica().prop_map(Step::Write),
    ]
}

/// How many seconds clocks are ahead.
const CLOCKS: [i64; 7] = [-40 * DAY, -2 * HOUR, 0, 2, 20 * HOUR, 30 * DAY, 40 * DAY];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// The first key, and one for each request, in spite of all clocks.
    #[test]
    fn a_cutoff_generates_one_key(steps in vec(step(CLOCKS.to_vec(), true), 1..60)) {
        let mut world = World::new("0s");
        for step in &steps {
            if world.cutoffs.len() + 2 < POOL.len() || !matches!(step, Step::Ask(_)) {
                world.take(step);
            }
            prop_assert!(world.secrets.len() <= 1 + world.cutoffs.len());
        }
        world.settle();
        prop_assert!(world.secrets.len() <= 1 + world.cutoffs.len());
        if let Some(last) = world.cutoffs.last() {
            prop_assert!(world.active().unwrap().effective_creation() >= *last);
        }
    }

    /// The first key, and one when a clock says that it is old. Clocks are set to that time and
    /// back, any number of times. Less than an hour passes in between.
    #[test]
    fn a_clock_that_is_set_back_and_forth_generates_one_key(
        steps in select(&CLOCKS[..]).prop_flat_map(|ahead| vec(step(vec![0, ahead], false), 1..100)),
    ) {
        let mut world = World::new("1h");
        for step in &steps {
            world.take(step);
            prop_assert!(world.secrets.len() <= 2);
        }
        world.settle();
        prop_assert!(world.secrets.len() <= 2);
    }
}

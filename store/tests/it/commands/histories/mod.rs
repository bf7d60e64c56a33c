//! Long histories of two accounts, commanded and decided in random batches on Postgres, beside the same accounts kept whole
//! in memory: what is told and what is stored must be the same after every batch, and once more when all of it is
//! evaluated anew from what was recorded.
//!
//! `TALLY_ACCOUNT_HISTORIES` says how many histories.

mod check;
mod deeds;
mod mirror;
mod rebuilt;
mod stored;

use proptest::test_runner::{Config, TestRunner};
use store::Role;
use store::verify::Extent;

use super::kit::Shop;
use deeds::{Batch, History};
use mirror::Mirror;

/// Histories of a normal run.
const HISTORIES: u32 = 20;

/// Checks of `tally verify` that need no log behind the movements.
const CHECKS: [&str; 6] = ["chains", "moves", "grants", "balances", "holds", "steps"];

fn histories() -> u32 {
    let told = std::env::var("TALLY_ACCOUNT_HISTORIES").ok();
    told.map_or(HISTORIES, |told| told.parse().unwrap())
}

#[test]
fn every_history_is_that_of_accounts_kept_whole_in_memory() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(Shop::new(&[]));
    let config = Config { cases: histories(), max_shrink_iters: 200, ..Config::default() };
    let number = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&deeds::histories(), |history| {
        number.set(number.get() + 1);
        runtime.block_on(play(&shop, number.get(), history));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    runtime.block_on(verify(&shop));
}

/// Plays one history, with users of its own.
async fn play(shop: &Shop, number: u32, history: History) {
    let projector = shop.world.store(Role::Projector);
    let tenant_id = shop.world.tenant.tenant_id;
    let mut mirror = Mirror::new(tenant_id, number);
    for user in mirror.users() {
        shop.register(&user).await;
    }
    let mut wall = 1_000;
    for batch in history.batches {
        match batch {
            Batch::Wait(seconds) => wall += seconds,
            Batch::Commands { deeds, behind } => {
                let now = wall - behind;
                let requests = mirror.requests(&deeds, now);
                let outcomes = shop.run(now, &requests).await;
                let told: Vec<_> = requests.into_iter().zip(outcomes).collect();
                let mut recorded = Vec::new();
                for account in mirror.accounts() {
                    recorded.push(stored::commands_after(shop, account).await);
                }
                mirror.commanded(now, &told, recorded);
            }
            Batch::Decision { turns, policy } => {
                let movements = mirror.movements(&turns, wall);
                let posted = deeds::decide(&projector, tenant_id, wall, &movements, policy).await;
                mirror.decided(wall, &movements, policy, &posted);
            }
        }
        for account in mirror.accounts() {
            check::account(account);
            stored::same(shop, account).await;
        }
    }
    for account in mirror.accounts() {
        rebuilt::same(shop, account, mirror.policies()).await;
    }
}

async fn verify(shop: &Shop) {
    let reader = shop.world.store(Role::Login);
    let vouch = |_: &str, _: &[u8]| store::verify::Vouched::Unreadable;
    let tenant_id = shop.world.tenant.tenant_id;
    let checks = store::verify::verify(&reader, tenant_id, Extent::Newest, &vouch).await.unwrap();
    for check in checks.iter().filter(|check| CHECKS.contains(&check.name)) {
        assert!(check.checked > 0, "{} looked at nothing", check.name);
        assert_eq!(check.differences, Vec::<String>::new(), "{}", check.name);
    }
}

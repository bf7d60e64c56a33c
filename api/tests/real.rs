#![allow(clippy::all, missing_docs)]
#[path = "/tmp/apireal/support.rs"]
mod support;
use support::*;
use store::log::Origin;
use serde_json::{json, Value};
use testkit::events::Purchase;
use store::keys::KeyRole;
use http::Method;

async fn projector(w: &World) -> tokio::task::JoinHandle<()> {
    let url = store::PgUrl::parse(&w.database_url).unwrap();
    let p = projector::Projector { store: store::Store::connect(&url, store::Role::Projector, 4).unwrap(), notifier: w.notifier.clone(), clock: w.clock.clone() };
    let t = projector::Tenant { tenant_id: w.tenant.tenant_id, policy: Default::default(), evidence_key: rules::hashing::EvidenceKey::new(&w.tenant.evidence_key) };
    tokio::spawn(async move { loop { if let Err(e) = projector::drain(&p, &t).await { println!("drain: {e:?}"); } tokio::time::sleep(std::time::Duration::from_millis(20)).await; } })
}
async fn tell(w: &World, e: &testkit::events::Event) { w.hands.advance(jiff::SignedDuration::from_secs(37)); let _ = w.tell(Origin::Stripe, &e.id, &e.kind, &e.body).await; tokio::time::sleep(std::time::Duration::from_millis(150)).await; }
fn md(p: &[(&str,&str)]) -> testkit::events::Metadata { testkit::events::metadata(p) }
async fn explain(w: &World, id: &str) {
    let a = w.get(&format!("/v1/explain/{}", id)).await;
    let v = a.json();
    println!("\n==== explain {id} [{}]\n# {}", v["subject"], v["title"].as_str().unwrap_or(&v.to_string()));
    for b in v["story"].as_array().unwrap_or(&vec![]) { println!("- {} @{}: {}", &b["at"].as_str().unwrap()[11..], b["position"], b["text"].as_str().unwrap()); }
    println!("NOW: {}", v["now"].as_str().unwrap_or(""));
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real() {
    let w = World::new().await;
    let h = projector(&w).await;
    println!("{}", w.put("/v1/users/u_1", json!({"email":"ann@example.com","email_verified":true})).await.json());
    println!("{}", w.put("/v1/users/u_2", json!({"email":"bob@example.com","name":"Bob"})).await.json());
    println!("{}", w.put("/v1/catalogue/price_500", json!({"credits":500})).await.json());
    // simple purchase by 3 doors
    let mut a = Purchase::new("a"); a.metadata = md(&[("user_id","u_1"),("price","price_500")]); a.customer = Some("cus_ann".into()); a.amount=1200;
    for e in [a.checkout_session_completed(), a.payment_intent_succeeded(), a.charge_succeeded()] { tell(&w,&e).await; }
    explain(&w, "cs_test_a").await;
    // unknown user heals
    let mut b = Purchase::new("b"); b.metadata = md(&[("user_id","u_9"),("price","price_500"),("quantity","2")]);
    for e in [b.checkout_session_completed(), b.charge_succeeded()] { tell(&w,&e).await; }
    explain(&w, "pi_b").await;
    println!("{}", w.get("/v1/checkout_sessions/cs_test_b").await.json());
    println!("{}", w.put("/v1/users/u_9", json!({})).await.json());
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    explain(&w, "pi_b").await;
    println!("{}", w.get("/v1/checkout_sessions/cs_test_b").await.json());
    println!("{}", w.get("/v1/users/u_9/balance").await.json());
    // conflict assigned
    let mut c = Purchase::new("c"); c.metadata = md(&[("user_id","u_1"),("session_user_id","u_2"),("price","price_500")]); c.email=Some("bob@example.com".into());
    tell(&w,&c.checkout_session_completed()).await;
    explain(&w, "cs_test_c").await;
    let id = w.get("/v1/cases?status=open").await.ids()[0].clone();
    println!("{}", w.ask(KeyRole::Support, Method::POST, &format!("/v1/cases/{id}/assign"), Some(json!({"user":"u_2","reason":"Bob sent the receipt"}))).await.json());
    explain(&w, &id).await;
    // unpriced
    let mut d = Purchase::new("d"); d.metadata = md(&[("user_id","u_1"),("price","price_9")]);
    tell(&w,&d.checkout_session_completed()).await;
    explain(&w, "cs_test_d").await;
    w.put("/v1/catalogue/price_9", json!({"credits":7, "unit":"credits"})).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    explain(&w, "cs_test_d").await;
    // no evidence, dismissed w/ write off
    let mut e = Purchase::new("e"); e.metadata = md(&[("price","price_500")]); e.email=Some("ann@example.com".into());
    tell(&w,&e.checkout_session_completed()).await;
    explain(&w, "cs_test_e").await;
    let id = w.get("/v1/cases?status=open").await.ids()[0].clone();
    println!("{}", w.ask(KeyRole::Approver, Method::POST, &format!("/v1/cases/{id}/dismiss"), Some(json!({"reason":"our own test purchase","write_off":true}))).await.status);
    explain(&w, "cs_test_e").await;
    // unsigned
    let mut f = Purchase::new("f"); f.metadata = md(&[("price","price_500")]); f.client_reference_id=Some("u_1".into());
    tell(&w,&f.checkout_session_completed()).await;
    explain(&w, "cs_test_f").await;
    // bare
    let g = Purchase::new("g");
    tell(&w,&g.payment_intent_succeeded()).await;
    explain(&w, "pi_g").await;
    // pending
    let mut p = Purchase::new("p"); p.metadata = md(&[("user_id","u_1"),("price","price_500")]); p.payment_status="unpaid";
    tell(&w,&p.checkout_session_completed()).await;
    explain(&w, "cs_test_p").await;
    // by link
    let mut l = Purchase::new("l"); l.metadata = md(&[("price","price_500")]); l.customer=Some("cus_ann".into());
    tell(&w,&l.checkout_session_completed()).await;
    explain(&w, "cs_test_l").await;
    // mismatch
    let mut m = Purchase::new("m"); m.metadata = md(&[("user_id","u_1"),("price","price_500"),("credits","400")]);
    tell(&w,&m.checkout_session_completed()).await;
    explain(&w, "cs_test_m").await;
    // retry
    let id = w.get("/v1/cases?status=open&reason=credits_mismatch").await.ids()[0].clone();
    let clock = service::clock::Clock::system(); let t0 = clock.mark();
    let v = w.ask(KeyRole::Support, Method::POST, &format!("/v1/cases/{id}/retry"), None).await.json();
    println!("RETRY {} {} {} {:?}", v["status"], v["version"], v["due"], clock.mark()-t0);
    w.put("/v1/catalogue/price_500", json!({"credits":400})).await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    println!("AFTER {}", w.get(&format!("/v1/cases/{id}")).await.json()["resolution"]);
    explain(&w, &id).await;
    let t0 = clock.mark(); w.put("/v1/users/u_77", json!({})).await.ok(); println!("PUT took {:?}", clock.mark()-t0);
    println!("AUDIT {}", w.get("/v1/audit?limit=2").await.json());
    // malformed + unhandled
    w.tell(Origin::Stripe, "sha256:00ff", "", b"not json").await;
    w.tell(Origin::Stripe, "evt_x", "product.created", br#"{"id":"evt_x","object":"event","type":"product.created","created":1,"data":{"object":{"id":"p","object":"product"}}}"#).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    explain(&w, "sha256:00ff").await;
    explain(&w, "evt_x").await;
    explain(&w, "u_1").await;
    explain(&w, "u_2").await;
    explain(&w, "nothing").await;
    println!("{}", w.get("/v1/users/u_1/balance").await.json());
    println!("{}", w.get("/v1/users/u_1/postings?limit=1").await.json());
    h.abort();
}

//! tmp
use sha2::Digest;
use store::log::*;
use store::*;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench() {
    let url = std::env::var("BENCH_URL").unwrap();
    migrations::run(&url).await.unwrap();
    let u = PgUrl::parse(&url).unwrap();
    let admin = Store::connect(&u, Role::Login, 1).unwrap();
    admin.check().await.unwrap();
    let t =
        store::tenant::ensure(&admin, "bench", false, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let s = Store::connect(&u, Role::Ingest, 4).unwrap();
    let n: usize = std::env::var("N").unwrap().parse().unwrap();
    let size: usize = std::env::var("SIZE").unwrap_or("256".into()).parse().unwrap();
    let par: usize = std::env::var("PAR").unwrap_or("1".into()).parse().unwrap();
    let run: u64 = rand::random();
    let start = std::time::Instant::now();
    let tasks: Vec<_> = (0..par).map(|p| { let s = s.clone(); let id=t.tenant_id; tokio::spawn(async move {
        for b in 0..n/size/par {
            let batch: Vec<_> = (0..size).map(|i| {
                let id = format!("evt_{run}_{p}_{b}_{i}");
                let mut body = format!("{{\"id\":\"{id}\",");
                let mut x: u64 = (b*size+i) as u64 ^ run;
                while body.len() < 2048 { x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); body.push_str(&format!("\"field_{}\":\"{:x}\",", x>>60, x>>20)); }
                NewEvent { origin: Origin::Stripe, source: Source::Webhook, account: String::new(), source_id: id.clone(), event_type: "charge.succeeded".into(), root_key: Some("pi_1".into()), slot: slot_of(&id), livemode: Some(false), api_version: Some("2026-10-28.endive".into()), endpoint: Some("main".into()), user_agent: Some("Stripe/1.0".into()), peer: Some("127.0.0.1".into()), occurred_at: jiff::Timestamp::UNIX_EPOCH, received_at: jiff::Timestamp::UNIX_EPOCH, body_sha256: sha2::Sha256::digest(&body[..64]).into(), body: body.into(), signature: Some("t=1,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd".into()), traceparent: None }
            }).collect();
            let r = append(&s, id, &batch).await.unwrap();
            assert!(matches!(r[0], Appended::Stored(_)));
        }})}).collect();
    for t in tasks {
        t.await.unwrap();
    }
    let e = start.elapsed();
    eprintln!(
        "{} events in {:?}: {:.0}/s, batch {:.2} ms",
        n,
        e,
        n as f64 / e.as_secs_f64(),
        e.as_secs_f64() * 1000.0 / (n as f64 / size as f64)
    );
}

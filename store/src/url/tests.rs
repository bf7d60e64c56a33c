//! URLs as libpq's manual and the hosting companies write them. The passwords are made up.

use super::*;

#[track_caller]
fn read(text: &str) -> PgUrl {
    PgUrl::parse(text).unwrap()
}

#[track_caller]
fn check(text: &str, shown: &str, tls: Tls, pooled: bool) -> PgUrl {
    let url = read(text);
    assert_eq!((url.to_string().as_str(), url.tls(), url.is_pooled()), (shown, tls, pooled));
    url
}

#[test]
fn urls_that_hosts_hand_out() {
    let neon = "postgresql://neondb_owner:npg_x1@ep-cool-rain-123456.eu-central-1.aws.neon.tech/neondb\
                ?sslmode=require&channel_binding=require";
    let shown = "postgres://neondb_owner@ep-cool-rain-123456.eu-central-1.aws.neon.tech/neondb";
    check(neon, shown, Tls::Unverified, false);
    let neon_pooled = neon.replace("123456.", "123456-pooler.");
    check(&neon_pooled, &shown.replace("123456.", "123456-pooler."), Tls::Unverified, true);

    let supabase = "postgresql://postgres.abcdefgh:p%40ss@aws-0-eu-west-1.pooler.supabase.com:6543/postgres\
                    ?pgbouncer=true";
    let shown = "postgres://postgres.abcdefgh@aws-0-eu-west-1.pooler.supabase.com:6543/postgres";
    let url = check(supabase, shown, Tls::Full, true);
    assert_eq!(url.config().get_password(), Some("p@ss".as_bytes()));
    check(&supabase.replace("?pgbouncer=true", ""), shown, Tls::Full, true);
    let session = supabase.replace(":6543", ":5432").replace("?pgbouncer=true", "");
    check(&session, &shown.replace(":6543", ":5432"), Tls::Full, false);

    let render = "postgresql://app:secret@dpg-abc123-a.frankfurt-postgres.render.com/app_db";
    let shown = "postgres://app@dpg-abc123-a.frankfurt-postgres.render.com/app_db";
    check(render, shown, Tls::Full, false);

    let rds = "postgres://app:secret@shop.abc.eu-central-1.rds.amazonaws.com:5432/app\
               ?sslmode=verify-full&sslrootcert=/etc/ssl/rds-global-bundle.pem";
    let shown = "postgres://app@shop.abc.eu-central-1.rds.amazonaws.com:5432/app";
    let url = check(rds, shown, Tls::Full, false);
    assert_eq!(url.root_certificates(), Some(Path::new("/etc/ssl/rds-global-bundle.pem")));

    let heroku =
        "postgres://u1:p1@ec2-1-2-3-4.eu-west-1.compute.amazonaws.com:5432/d1?sslmode=require";
    let shown = "postgres://u1@ec2-1-2-3-4.eu-west-1.compute.amazonaws.com:5432/d1";
    let url = check(heroku, shown, Tls::Unverified, false);
    assert!(url.warnings().iter().any(|w| w.contains("verify-full")), "{:?}", url.warnings());
}

#[test]
fn local_servers_need_no_tls() {
    check("postgres://u@localhost:5433/d", "postgres://u@localhost:5433/d", Tls::Off, false);
    check("postgres://u@127.0.0.1/d", "postgres://u@127.0.0.1/d", Tls::Off, false);
    check("postgres://u@[::1]:5433/d", "postgres://u@::1:5433/d", Tls::Off, false);
    check("postgres://u@/d?host=/run/pg&port=5433", "postgres://u@/run/pg:5433/d", Tls::Off, false);
    check("postgresql://%2Frun%2Fpg/d", "postgres:///run/pg/d", Tls::Off, false);
    check("postgres://u@%2Frun%2Fpg:5433/d", "postgres://u@/run/pg:5433/d", Tls::Off, false);
    assert_eq!(read("postgres:///d").config().get_hosts().len(), 1);
}

#[test]
fn a_server_elsewhere_must_prove_who_it_is() {
    check("postgres://u@db/d", "postgres://u@db/d", Tls::Full, false);
    let plain = check("postgres://u@db/d?sslmode=disable", "postgres://u@db/d", Tls::Off, false);
    assert_eq!(plain.warnings().len(), 1);
    let own_issuer = "postgres://u@db/d?sslmode=require&sslrootcert=ca.pem";
    check(own_issuer, "postgres://u@db/d", Tls::Issuer, false);
    let system = read("postgres://u@db/d?sslmode=verify-full&sslrootcert=system");
    assert_eq!((system.tls(), system.root_certificates()), (Tls::Full, None));
    let mixed = "postgres://u@localhost,db:5433/d?target_session_attrs=read-write";
    assert_eq!(PgUrl::parse(mixed).unwrap().tls(), Tls::Full);
}

#[test]
fn unknown_keys_are_told_and_ignored() {
    let url = read("postgres://u@localhost/d?schema=public&connection_limit=1&connect_timeout=3");
    assert_eq!(url.warnings().len(), 2);
    assert!(url.warnings()[0].contains("schema"), "{:?}", url.warnings());
    assert_eq!(url.config().get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
}

#[test]
fn what_is_no_url_is_refused() {
    let value = |key, expected| UrlError::Value { key, expected };
    for (text, error) in [
        ("mysql://u@h/d", UrlError::Scheme),
        ("", UrlError::Scheme),
        ("postgres://u@h:0/d", UrlError::Port),
        ("postgres://u@h:x/d", UrlError::Port),
        ("postgres://u%4@h/d", UrlError::Encoding("user")),
        ("postgres://u:%ff@h/d", UrlError::Encoding("password")),
        ("postgres://a:1,b:2,c/d", UrlError::Ports { hosts: 3, ports: 2 }),
        ("postgres://h/d?connect_timeout=x", value("connect_timeout", "a number of seconds")),
        ("postgres://h/d?pgbouncer=1", value("pgbouncer", "true or false")),
        ("postgres://h/d?sslmode=disable&channel_binding=require", UrlError::BindingWithoutTls),
    ] {
        assert_eq!(PgUrl::parse(text).err(), Some(error), "{text}");
    }
}

#[test]
fn sqlx_is_told_everything() {
    for (text, told) in [
        ("postgres://u@db/d", "postgres://u@db/d?sslmode=verify-full"),
        (
            "postgres://u:p%40s@/d?host=/a b&port=1",
            "postgres://u:p%40s@%2Fa%20b:1/d?sslmode=disable",
        ),
        (
            "postgres://a,b/d?sslmode=require&sslrootcert=ca.pem&options=endpoint%3Dx&pgbouncer=true",
            "postgres://a/d?sslmode=verify-ca&sslrootcert=ca.pem&options=endpoint%3Dx",
        ),
        ("postgres://u@[::1]:5/d", "postgres://u@[::1]:5/d?sslmode=disable"),
    ] {
        assert_eq!(read(text).expose_for_sqlx(), told, "{text}");
    }
}

#[test]
fn the_password_is_never_shown() {
    let url = read(
        "postgres://u:hunter2@db:5432/d?sslmode=bogus&x=1".replace("bogus", "require").as_str(),
    );
    assert_eq!(url.config().get_password(), Some("hunter2".as_bytes()));
    let shown = format!("{url} {url:?} {:?}", url.warnings());
    assert!(!shown.contains("hunter2"), "{shown}");
    let error = PgUrl::parse("postgres://u:hunter2@db/d?sslmode=bogus").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

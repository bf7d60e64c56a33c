//! Each test has a database of its own, quickly.

#[tokio::test]
async fn databases_are_separate_and_have_the_schema() {
    let (one, two) = tokio::join!(testkit::database(), testkit::database());
    assert_ne!(one.name, two.name);
    let insert = "INSERT INTO subject (tenant_id, key) VALUES (1, 'x')";
    one.superuser().await.execute(insert, &[]).await.unwrap();
    let row = two.superuser().await.query_one("SELECT count(*) FROM subject", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

use std::path::PathBuf;

use crate::bench::{ALICE, Bench};

/// A one-pixel GIF.
const PIXEL: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Gives a gateway a public URL that the simulator can reach.
async fn reachable() -> Bench {
    let mut bench = Bench::new().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    bench.configure(&format!("publicUrl: 'http://127.0.0.1:{port}',"));
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    std::fs::write(bench.configuration(), text.replace("port: 0", &format!("port: {port}"))).unwrap();
    bench.start_gateway().await;
    bench
}

#[tokio::test]
async fn twilio_fetches_a_file_from_the_gateway() {
    let bench = reachable().await;
    let folder = tempfile::tempdir().unwrap();
    let picture = file(&folder, "pixel.gif", PIXEL);
    let sent = bench.json(&["telephony", "send", ALICE, "Look", "--media", &picture, "--wait", "--json"]).await;
    assert_eq!(sent["parts"][0]["status"], "delivered");
    let message = bench.twilio.messages().remove(0);
    assert_eq!((message.body.as_str(), message.media.len()), ("Look", 1));
    assert_eq!((message.media[0].content_type.as_str(), &message.media[0].bytes[..]), ("image/gif", PIXEL));
    let shown = bench.done(&["telephony", "messages", sent["id"].as_str().unwrap()]).await;
    assert!(shown.contains("media: image/gif, 43 bytes, "), "{shown}");
    bench.done(&["telephony", "send", ALICE, "--media", &picture, "--wait"]).await;
    assert_eq!(bench.twilio.messages()[1].body, "");
}

#[tokio::test]
async fn a_picture_that_is_too_large_arrives_reduced() {
    let bench = reachable().await;
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.png");
    let (mut state, side) = (1_u32, 1300);
    let noise = image::RgbImage::from_fn(side, side, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    });
    noise.save(&large).unwrap();
    let size = large.metadata().unwrap().len();
    assert!(size > 5_000_000, "{size}");
    let large = large.to_str().unwrap();
    let ran = bench.run(&["telephony", "send", ALICE, "Look", "--media", large, "--wait"]).await;
    assert!(ran.code == 0 && ran.stderr.contains(&format!("was reduced from {size} to ")), "{}", ran.stderr);
    let message = bench.twilio.messages().remove(0);
    let arrived = &message.media[0];
    assert!(arrived.content_type == "image/jpeg" && arrived.bytes.len() <= 5_000_000, "{}", arrived.bytes.len());
    assert_eq!(image::load_from_memory(&arrived.bytes).unwrap().width(), side);
}

#[tokio::test]
async fn without_a_gateway_urls_are_sent_and_files_are_rejected() {
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    let picture = file(&folder, "pixel.gif", PIXEL);
    let ran = bench.run(&["telephony", "send", ALICE, "Look", "--media", &picture]).await;
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.stderr);
    assert_eq!(bench.twilio.creations(), 0);
    bench.done(&["telephony", "send", ALICE, "--media", "https://example.invalid/a.png"]).await;
    assert_eq!(bench.twilio.messages()[0].media[0].url, "https://example.invalid/a.png");
}

#[tokio::test]
async fn files_are_rejected_if_twilio_cannot_reach_the_gateway() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let folder = tempfile::tempdir().unwrap();
    let ran = bench.run(&["telephony", "send", ALICE, "--media", &file(&folder, "a.gif", PIXEL)]).await;
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.stderr);
}

#[tokio::test]
async fn unsupported_files_are_rejected_before_sending() {
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (film, page) = ([b"\0\0\0\x18ftypmp42".as_slice(), &[0; 500_000]].concat(), b"<!DOCTYPE html>");
    let mut large = b"\xff\xd8\xff".to_vec();
    large.resize(5_000_001, 0);
    let mut said = String::new();
    let endless = vec![0; 12_000_001];
    for (name, bytes) in [
        ("film.mp4", film.as_slice()),
        ("page.html", page),
        ("cat.jpg", page),
        ("large.jpg", &large),
        ("empty.png", &[]),
        ("endless.mp4", &endless),
    ] {
        let ran = bench.run(&["telephony", "send", ALICE, "Look", "--media", &file(&folder, name, bytes)]).await;
        assert_eq!(ran.code, 1, "{name}");
        said.push_str(&ran.stderr.replace(folder.path().to_str().unwrap(), "FOLDER"));
    }
    for name in ["/nonexistent/cat.jpg", "/dev/zero", "ftp://example.com/cat.jpg", "https://", "https://exa mple.com/"]
    {
        let ran = bench.run(&["telephony", "send", ALICE, "Look", "--media", name]).await;
        assert_eq!(ran.code, 1, "{name}");
        said.push_str(&ran.stderr);
    }
    insta::assert_snapshot!(said);
    assert_eq!(bench.twilio.creations(), 0);
}

#[tokio::test]
async fn a_media_url_reaches_twilio_percent_encoded() {
    let bench = Bench::new().await;
    let named = "HTTPS://example.invalid/my cat.png";
    bench.done(&["telephony", "send", ALICE, "--media", named]).await;
    assert_eq!(bench.twilio.messages()[0].media[0].url, "https://example.invalid/my%20cat.png");
}

#[tokio::test]
async fn a_dry_run_lists_the_attachments() {
    let bench = Bench::new().await;
    let url = "https://example.com/a.png";
    let shown = bench.done(&["telephony", "send", ALICE, "Look", "--media", url, "--dry-run"]).await;
    insta::assert_snapshot!(shown);
    assert_eq!(bench.twilio.creations(), 0);
}

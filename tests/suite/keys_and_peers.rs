//! `pleiad keys` and `pleiad peer` as a steward types them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn pleiad(data: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pleiad")).args(args).arg("--json").env("PLEIAD_DATA", data).output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_str(&done(output)).unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, hint: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(hint), "{said}");
    assert!(output.stdout.is_empty(), "nothing half-done on standard output");
}

/// A folder with a CA, an enrolled node and a published peer file.
fn node(short: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let domain = format!("{short}.pleiad.example");
    done(&pleiad(data, &["keys", "create-ca", "--domain", &domain]));
    enrol(data, data, "node", short);
    let country = short.to_uppercase();
    let address = format!("https://{short}.example:4433/");
    done(&pleiad(data, &["peer", "publish", "--name", short, "--country", &country, "--address", &address]));
    folder
}

/// Request on one machine, sign on the CA's, install on the first.
fn enrol(data: &Path, ca: &Path, whose: &str, id: &str) {
    let request = data.join("request.pem");
    std::fs::write(&request, done(&pleiad(data, &["keys", "request", "--for", whose]))).unwrap();
    let who = format!("--{whose}");
    let certificate = data.join("certificate.pem");
    let signed = done(&pleiad(ca, &["keys", "sign", request.to_str().unwrap(), &who, id]));
    std::fs::write(&certificate, signed).unwrap();
    done(&pleiad(data, &["keys", "install", certificate.to_str().unwrap(), "--for", whose]));
}

#[test]
fn two_nodes_come_to_trust_each_other_by_pin_and_file() {
    let (fi, de) = (node("fi"), node("de"));
    let file = de.path().join("trust/de.pleiad.example.jws");
    let add = ["peer", "add", file.to_str().unwrap()];
    refused(&pleiad(fi.path(), &add), 4, "not pinned");

    let shown = json(&pleiad(de.path(), &["keys", "show"]));
    done(&pleiad(fi.path(), &["peer", "pin", "de.pleiad.example", shown["list_key"].as_str().unwrap()]));
    assert_eq!(json(&pleiad(fi.path(), &add))["domain"], "de.pleiad.example");

    let listed = done(&pleiad(fi.path(), &["peer", "list"]));
    let rows: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2, "the other and itself");
    assert!(rows.iter().all(|row| row["standing"] == "valid" && row["problem"].is_null()), "{listed}");

    done(&pleiad(fi.path(), &["peer", "unpin", "de.pleiad.example"]));
    assert_eq!(done(&pleiad(fi.path(), &["peer", "list"])).lines().count(), 1);
}

#[test]
fn a_participant_enrols_renews_over_its_old_certificate_and_is_revoked() {
    let fi = node("fi");
    let csc = tempfile::tempdir().unwrap();
    enrol(csc.path(), fi.path(), "participant", "csc");
    let before = json(&pleiad(csc.path(), &["keys", "show"]));
    assert_eq!(before["participant"], "spiffe://fi.pleiad.example/participant/csc");

    let renewal = csc.path().join("renewal.pem");
    std::fs::write(&renewal, done(&pleiad(csc.path(), &["keys", "renew", "--for", "participant"]))).unwrap();
    let sign = ["keys", "sign", renewal.to_str().unwrap()];
    let certificate = csc.path().join("renewed.pem");
    std::fs::write(&certificate, done(&pleiad(fi.path(), &sign))).unwrap();
    done(&pleiad(csc.path(), &["keys", "install", certificate.to_str().unwrap(), "--for", "participant"]));
    let after = json(&pleiad(csc.path(), &["keys", "show"]));
    assert_eq!(after["participant"], before["participant"]);
    assert_ne!(after["participant_fingerprint"], before["participant_fingerprint"]);

    let old = before["participant_fingerprint"].as_str().unwrap();
    let number = json(&pleiad(fi.path(), &["keys", "show"]))["crl_number"].as_u64().unwrap();
    let revoked = json(&pleiad(fi.path(), &["keys", "revoke", "--fingerprint", old, "--reason", "key-compromise"]));
    assert_eq!(
        (&revoked["fingerprint"], &revoked["reason"]),
        (&before["participant_fingerprint"], &"key_compromise".into())
    );
    assert_eq!(json(&pleiad(fi.path(), &["keys", "show"]))["crl_number"].as_u64().unwrap(), number + 1);
    refused(&pleiad(fi.path(), &sign), 4, "is revoked");
    let issued = done(&pleiad(fi.path(), &["keys", "show", "--issued"]));
    assert_eq!(issued.lines().count(), 3);
}

#[test]
fn a_node_with_its_ca_renews_in_one_step_and_says_what_is_wrong_when_it_cannot() {
    let fi = node("fi");
    let before = json(&pleiad(fi.path(), &["keys", "show"]));
    let renewed = json(&pleiad(fi.path(), &["keys", "renew"]));
    assert_eq!(renewed["identity"], before["node"]);
    assert_ne!(renewed["fingerprint"], before["node_fingerprint"]);

    refused(&pleiad(fi.path(), &["keys", "create-ca", "--domain", "fi.pleiad.example"]), 1, "not overwritten");
    refused(&pleiad(fi.path(), &["keys", "revoke", "--serial", "00"]), 3, "no certificate");
    refused(&pleiad(fi.path(), &["keys", "sign", "nowhere.pem", "--node", "fi"]), 3, "nowhere.pem");
    refused(&pleiad(fi.path(), &["keys", "create-ca", "--domain", "Finland"]), 2, "DNS name");
    let empty = tempfile::tempdir().unwrap();
    refused(&pleiad(empty.path(), &["keys", "show"]), 3, "create-ca");
    refused(&pleiad(empty.path(), &["peer", "publish"]), 1, "node.pem is missing");
    let nonsense = fi.path().join("nonsense.pem");
    std::fs::write(&nonsense, "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")
        .unwrap();
    refused(&pleiad(fi.path(), &["keys", "sign", nonsense.to_str().unwrap(), "--node", "fi"]), 2, "request is refused");
}

#[test]
fn openssl_accepts_what_the_ca_signs_and_refuses_what_it_took_back() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: openssl is not installed");
        return;
    }
    let fi = node("fi");
    let keys = fi.path().join("keys");
    let verify = || {
        let crl = fi.path().join("crl.pem");
        let converted = Command::new("openssl")
            .args(["crl", "-inform", "DER", "-in"])
            .arg(keys.join("crl.der"))
            .arg("-out")
            .arg(&crl)
            .output();
        assert!(converted.unwrap().status.success());
        let leaf = Command::new("openssl").arg("x509").arg("-in").arg(keys.join("node.pem")).output().unwrap();
        std::fs::write(fi.path().join("leaf.pem"), leaf.stdout).unwrap();
        let verified = Command::new("openssl")
            .args(["verify", "-x509_strict", "-crl_check", "-purpose", "sslserver", "-CAfile"])
            .arg(keys.join("ca.pem"))
            .arg("-CRLfile")
            .arg(crl)
            .arg(fi.path().join("leaf.pem"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&verified.stdout).into_owned() + &String::from_utf8_lossy(&verified.stderr)
    };
    assert!(verify().contains("leaf.pem: OK"), "{}", verify());
    done(&pleiad(fi.path(), &["keys", "revoke", "--identity", "spiffe://fi.pleiad.example/node/fi"]));
    assert!(verify().contains("certificate revoked"), "{}", verify());
}

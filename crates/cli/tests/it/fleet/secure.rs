//! Runs on a broker that does not let everybody in, with its own configuration.

use std::fmt::Write as _;
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer};
use serde_json::{Value, json};
use sureness_faultserver::Script;

use super::{Case, Nats, text};

const RUN: &str = "run --run-name eval-7 --tasks qa --sample-size 30 --prompt-strategies base";
const WORKER: &str = "worker --run-name eval-7 --give-up-after 30";

/// A broker with this configuration, a folder for keys, and a server to ask.
fn behind(configure: impl FnOnce(&Path) -> String) -> Option<Case> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nats.conf");
    std::fs::write(&path, configure(folder.path())).unwrap();
    let nats = Nats::start(&["-js", "-c", path.to_str().unwrap()])?;
    let mut base = sureness_testkit::Case::new(Script::healthy());
    base.folder = folder;
    Some(Case { base, nats })
}

/// A run with one worker, both with these flags, gives the figures of one machine.
fn goes_well(case: &Case, words: &str) {
    let mut worker = case.sureness(&format!("{WORKER} {words}"));
    worker.args(["--api-base", &case.server.base()]);
    let worker = case.spawn(worker, "worker");
    let coordinator = case.sureness(&format!("{RUN} {words} --output-dir together"));
    let coordinator = case.spawn(coordinator, "coordinator");
    assert_eq!(coordinator.end(), 0, "{}", case.said("coordinator"));
    assert_eq!(worker.end(), 0, "{}", case.said("worker"));
    case.alone(&RUN.replace("--run-name eval-7", ""), "alone");
    case.alike("together", "alone");
}

/// The command ends with an error that says this, and none of the seeds.
fn fails(case: &Case, line: &str, expected: &str) {
    let output = case.sureness(line).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{line}: {said}");
    assert!(said.contains(expected), "{line}: {said}");
    assert!(said.contains("hint:"), "{line}: {said}");
    for seed in ["user", "stranger"].map(|name| std::fs::read_to_string(case.path(name))) {
        let seed = seed.unwrap_or_default();
        let seed = seed.lines().find(|line| line.starts_with("SU"));
        assert!(seed.is_none_or(|seed| !said.contains(seed)), "{said}");
    }
}

fn key(kind: KeyPairType, number: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [number; 32]).unwrap()
}

/// The permissions from the guide, for a run of this name.
fn permissions_of(run: &str) -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scale-out.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let begin = guide.find("permissions: {").unwrap();
    let block = &guide[begin..];
    block[..block.find("```").unwrap()].replace("eval-7", run)
}

#[test]
fn seeds_and_the_permissions_of_the_guide_keep_runs_apart() {
    let users = [("user", "eval-7", 1), ("stranger", "eval-8", 2)];
    let Some(case) = behind(|folder| {
        let mut listed = String::new();
        for (name, run, number) in users {
            let key = key(KeyPairType::User, number);
            std::fs::write(folder.join(name), key.seed().unwrap()).unwrap();
            let (id, may) = (key.public_key(), permissions_of(run));
            writeln!(listed, "{{ nkey: {id}\n{may} }}").unwrap();
        }
        format!("authorization {{ users: [\n{listed}] }}\n")
    }) else {
        return;
    };
    let url = case.nats.url();
    goes_well(&case, &format!("--nats {url} --nats-nkey user"));
    std::fs::write(
        case.path("unknown"),
        key(KeyPairType::User, 3).seed().unwrap(),
    )
    .unwrap();
    fails(
        &case,
        &format!("{RUN} --nats {url} --nats-nkey unknown"),
        "credentials",
    );
    fails(&case, &format!("{RUN} --nats {url}"), "credentials");
    // A user of another run learns nothing of this one and cannot join it.
    let mut held = case.sureness(&format!("{RUN} --nats {url} --nats-nkey user"));
    held.args(["--output-dir", "waiting"]);
    let _held = case.spawn(held, "held");
    case.wait_for("the coordinator", || {
        case.said("held").contains("waiting for workers")
    });
    let asks = |who: &str| {
        let line = format!("status --run-name eval-7 --nats {url} --nats-nkey {who}");
        case.sureness(&line).output().unwrap()
    };
    assert!(asks("user").status.success());
    fails(
        &case,
        &format!("status --run-name eval-7 --nats {url} --nats-nkey stranger"),
        "no coordinator answers",
    );
    let base = case.server.base();
    fails(
        &case,
        &format!(
            "worker --run-name eval-7 --give-up-after 3 --nats {url} --nats-nkey stranger --api-base {base}"
        ),
        "no coordinator",
    );
    fails(
        &case,
        &format!("{RUN} --nats {url} --nats-nkey stranger --output-dir strange"),
        "the stream",
    );
}

/// A NATS JWT: what `claims` say of `subject`, in the words of `issuer`.
fn token(issuer: &KeyPair, subject: &str, claims: &Value) -> String {
    let body = json!({
        "jti": subject, "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject,
        "name": subject, "nats": claims,
    });
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let head = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let signed = format!("{}.{}", part(&head), part(&body));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

#[test]
fn a_credentials_file_opens_a_broker_with_accounts() {
    let Some(case) = behind(|folder| {
        let [operator, account, system] = [
            key(KeyPairType::Operator, 1),
            key(KeyPairType::Account, 2),
            key(KeyPairType::Account, 3),
        ];
        let of_account = |key: &KeyPair, storage: i64| {
            let claims = json!({"type": "account", "version": 2, "limits": {
                "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1,
                "leaf": -1, "wildcards": true, "mem_storage": storage, "disk_storage": storage,
                "streams": storage, "consumer": storage,
            }});
            (
                key.public_key(),
                token(&operator, &key.public_key(), &claims),
            )
        };
        let (account_id, account_token) = of_account(&account, -1);
        let (system_id, system_token) = of_account(&system, 0);
        for (name, number, issuer) in [("user", 4, &account), ("stranger", 5, &operator)] {
            let user = key(KeyPairType::User, number);
            let claims =
                json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
            let token = token(issuer, &user.public_key(), &claims);
            let seed = user.seed().unwrap();
            let text = format!(
                "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
                 -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            );
            std::fs::write(folder.join(name), text).unwrap();
        }
        let claims = json!({"type": "operator", "version": 2});
        let operator_token = token(&operator, &operator.public_key(), &claims);
        format!(
            "operator: {operator_token}\nsystem_account: {system_id}\nresolver: MEMORY\n\
             resolver_preload: {{ {account_id}: {account_token}\n{system_id}: {system_token} }}\n"
        )
    }) else {
        return;
    };
    let url = case.nats.url();
    goes_well(&case, &format!("--nats {url} --nats-creds user"));
    fails(
        &case,
        &format!("{RUN} --nats {url} --nats-creds stranger"),
        "credentials",
    );
    std::fs::write(case.path("torn"), "-----BEGIN NATS USER JWT-----\n").unwrap();
    fails(
        &case,
        &format!("{RUN} --nats {url} --nats-creds torn"),
        "torn",
    );
}

/// Certificates of this program and of the broker, and of who signed them.
fn certificates(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("ca"), certificate.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    for name in ["server", "client"] {
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.join(name), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[test]
fn with_tls_both_sides_show_their_certificates() {
    let Some(case) = behind(|folder| {
        certificates(folder);
        let file = |name: &str| folder.join(name).display().to_string();
        format!(
            "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true }}\n",
            file("server"),
            file("server.key"),
            file("ca")
        )
    }) else {
        return;
    };
    let url = case.nats.url().replace("nats://", "tls://");
    let mine = "--nats-cert client --nats-key client.key";
    goes_well(&case, &format!("--nats {url} --nats-ca ca {mine}"));
    fails(&case, &format!("{RUN} --nats {url} {mine}"), "--nats-ca");
    fails(
        &case,
        &format!("{RUN} --nats {url} --nats-ca ca"),
        "--nats-cert",
    );
}

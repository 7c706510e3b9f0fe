//! The programs as a person meets them, beside kubeseal: `cargo bench -p bench --bench programs`.
//!
//! Prints the sizes of the binaries, then times whole processes.
#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::{
    fmt::Write as _,
    fs::File,
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use cluster::{programs, scratch::Scratch, tools::Tool};
use divan::Bencher;

static PLACE: LazyLock<Scratch> = LazyLock::new(|| {
    let place = Scratch::create();
    place.write("certificate.pem", include_str!("../vectors/test-4096.crt"));
    place.write(
        "sceau.yaml",
        "environments:\n  prod: {certificates: [certificate.pem]}\n",
    );
    place.write("one.yaml", &secrets(1));
    place.write("thousand.yaml", &secrets(1000));
    place
});

fn main() {
    println!("size of sceau             {:5.1} MB", megabytes(sceau()));
    println!(
        "size of sceau-controller  {:5.1} MB",
        megabytes(controller())
    );
    println!(
        "size of kubeseal          {:5.1} MB (stripped)",
        megabytes(Tool::Kubeseal.path())
    );
    divan::main();
}

fn secrets(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s{n}, namespace: shop}}\n\
             stringData: {{a: one, b: two, c: three, d: four, e: five}}\n"
        );
        text
    })
}

fn sceau() -> &'static Path {
    cluster::run(programs::sceau())
}

fn controller() -> &'static Path {
    cluster::run(programs::sceau_controller())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a program has less than 2^52 bytes"
)]
fn megabytes(program: &Path) -> f64 {
    program.metadata().map_or(0.0, |it| it.len() as f64 / 1e6)
}

fn run(bencher: Bencher<'_, '_>, program: &Path, words: &str, input: &str) {
    let directory = PLACE.directory();
    bencher.bench_local(|| {
        let status = Command::new(program)
            .args(words.split_whitespace())
            .current_dir(directory)
            .stdin(File::open(directory.join(input)).expect("it was written"))
            .stdout(Stdio::null())
            .status();
        assert!(
            status.is_ok_and(|it| it.success()),
            "{} {words}",
            program.display()
        );
    });
}

#[divan::bench]
fn start_sceau(bencher: Bencher<'_, '_>) {
    run(bencher, sceau(), "--version", "one.yaml");
}

#[divan::bench]
fn start_controller(bencher: Bencher<'_, '_>) {
    run(bencher, controller(), "--version", "one.yaml");
}

#[divan::bench]
fn start_kubeseal(bencher: Bencher<'_, '_>) {
    run(bencher, Tool::Kubeseal.path(), "--version", "one.yaml");
}

#[divan::bench]
fn seal_one_sceau(bencher: Bencher<'_, '_>) {
    run(bencher, sceau(), "seal --environment prod", "one.yaml");
}

#[divan::bench]
fn seal_one_kubeseal(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        Tool::Kubeseal.path(),
        "--cert certificate.pem",
        "one.yaml",
    );
}

#[divan::bench(sample_count = 5)]
fn seal_thousand_sceau(bencher: Bencher<'_, '_>) {
    run(bencher, sceau(), "seal --environment prod", "thousand.yaml");
}

#[divan::bench(sample_count = 5)]
fn seal_thousand_kubeseal(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        Tool::Kubeseal.path(),
        "--cert certificate.pem",
        "thousand.yaml",
    );
}

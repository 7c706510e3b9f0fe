//! The command line in a directory, as the fuzz targets run it.

use std::{fs, io, path::PathBuf};

use sceau::{Io, Terminals};

/// A project with one environment and the certificate and key of the vectors.
pub struct Project(PathBuf);

impl Project {
    /// Creates the directory, one for each process.
    pub fn create() -> Self {
        let directory = std::env::temp_dir().join(format!("sceau-fuzz-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("the temporary directory is writable");
        let project = Self(directory);
        project.write(
            "certificate.pem",
            include_bytes!("../../tests/vectors/test-2048.crt"),
        );
        project.write(
            "sealing.pem",
            include_bytes!("../../tests/vectors/test-2048.key"),
        );
        project.write(
            "sceau.yaml",
            b"environments:\n  prod: {certificates: [certificate.pem]}\n",
        );
        project
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.0.join(name), content).expect("the temporary directory is writable");
    }

    /// Reads a file of it.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).expect("the file was written before")
    }

    /// Runs one command line. Returns its exit code and its output.
    pub fn run(&self, words: &str, mut input: &[u8]) -> (u8, Vec<u8>) {
        let mut printed = Vec::new();
        let code = sceau::run(
            words.split(' ').map(Into::into),
            &mut Io {
                stdin: &mut input,
                stdout: &mut printed,
                help: &mut io::sink(),
                stderr: &mut io::sink(),
                prompt: &mut |_| Err(io::ErrorKind::Unsupported.into()),
                terminals: Terminals {
                    stdin: false,
                    stdout: false,
                },
                now: "2026-11-22T10:00:00Z".parse().expect("it is an instant"),
                directory: self.0.clone(),
            },
        );
        assert!(code != 70, "a bug was reported");
        (code, printed)
    }
}

//! No room on the disk: what does not fit is refused in words, nothing is half there, and all goes on when there is room again.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::http::Method;
use serde_json::json;
use umbilical_store::Role;

use crate::support::{Folder, World, evidence, run};

/// 64 MB of memory as a disk, gone when it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may mount nothing.
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(at).output();
        match mounted {
            Ok(out) if out.status.success() => Some(Self(at.to_path_buf())),
            Ok(out) => {
                eprintln!("skipped: a small disk needs the right to mount one: {}", String::from_utf8_lossy(&out.stderr).trim());
                None
            }
            Err(error) => {
                eprintln!("skipped: there is no `mount`: {error}");
                None
            }
        }
    }

    /// Fills it up to so many bytes that are left.
    fn fill(&self, left: usize) {
        let filler = self.0.join("filler");
        let _ = std::fs::remove_file(&filler);
        let out = Command::new("df").args(["--output=avail", "-B1"]).arg(&self.0).output().unwrap();
        let free: usize = String::from_utf8_lossy(&out.stdout).lines().last().unwrap().trim().parse().unwrap();
        std::fs::write(&filler, vec![0u8; free.saturating_sub(left)]).unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Bytes that do not become fewer when they are packed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_half_there() {
    let folder = Folder::new();
    let Some(disk) = Disk::mount(folder.path()) else { return };
    run(async {
        let world = World::on(folder, |_| {}).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let id = ana.get("/api/v1/devices?limit=1").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let evidence_before = ana.get("/api/v1/evidence").await.is(200).json();

        // The upload itself does not fit; then it does, and the store does not.
        for (left, length) in [(1 << 20, 4 << 20), (6 << 20, 5 << 20)] {
            disk.fill(left);
            let problem = ana.upload("noise.bin", noise(length, 1)).await.problem(507);
            assert_eq!(problem["type"], "urn:umbilical:problem:full");
        }
        // Nothing at all: who reads is answered, who writes is told.
        disk.fill(0);
        ana.get("/api/v1/devices").await.is(200);
        ana.get("/fleet").await.is(200);
        let note = json!({"kind": "note", "comment": "x".repeat(10_000)});
        let mut refused = 0;
        for _ in 0..50 {
            let status = ana.json(Method::POST, &format!("/api/v1/devices/{id}/decisions"), &note).await.status.as_u16();
            assert!([201, 503, 507].contains(&status), "{status}");
            refused += u32::from(status != 201);
        }
        assert!(refused > 0);
        assert!(std::fs::read_dir(world.folder.path().join("uploads")).unwrap().next().is_none(), "nothing lies about");

        // Room again: all of it works, and what is there is whole.
        disk.empty();
        let after = ana.get("/api/v1/evidence").await.is(200).json();
        assert_eq!(after["evidence"], evidence_before["evidence"]);
        ana.json(Method::POST, &format!("/api/v1/devices/{id}/decisions"), &note).await.is(201);
        ana.upload("more.csv", evidence::register(&[("late-1", "South", "Telit", "LE910C4-EU")])).await.is(202);
        world.settled().await;
        assert_eq!(ana.get("/api/v1/devices").await.json()["count"]["n"], 4);
        let wrong = world.app.store().check().await.unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
        world.end().await;
    });
}

//! `logodds devices`.

use logodds::config::Device;
use logodds::engine::gpu::{AdapterChoice, AdapterSummary, choose, list_adapters, reason};
use serde::Serialize;

use super::output::Output;
use super::table::facts;

#[derive(Serialize)]
struct Report {
    adapters: Vec<AdapterSummary>,
    cpu: Cpu,
    auto: AutoDevice,
}

#[derive(Serialize)]
struct Cpu {
    threads: usize,
}

/// The device that `--device auto` chooses, as a value of `--device`.
#[derive(Serialize)]
struct AutoDevice {
    device: String,
    reason: String,
}

pub(crate) fn run(output: Output) -> anyhow::Result<()> {
    let adapters = list_adapters();
    let chosen = choose(AdapterChoice::Auto, &adapters).map_err(logodds::Error::from)?;
    let auto = AutoDevice {
        device: chosen.map_or_else(|| Device::Cpu.to_string(), |index| index.to_string()),
        reason: reason(AdapterChoice::Auto, chosen, &adapters),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let report = Report { adapters, cpu: Cpu { threads }, auto };
    output.result(&report, || text(&report))
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for adapter in &report.adapters {
        text.push_str(&facts(&[
            ("index", adapter.index.to_string()),
            ("name", adapter.name.clone()),
            ("backend", format!("{}, {}", adapter.backend, adapter.kind)),
            ("driver", adapter.driver.clone()),
            (
                "limits",
                format!(
                    "buffer {}, binding {}, workgroup memory {}",
                    size(adapter.max_buffer_bytes),
                    size(adapter.max_binding_bytes),
                    size(adapter.max_workgroup_bytes)
                ),
            ),
        ]));
        text.push('\n');
    }
    text.push_str(&facts(&[
        ("cpu", format!("the CPU engine, {} threads", report.cpu.threads)),
        ("auto", format!("chooses {}: {}", report.auto.device, report.auto.reason)),
    ]));
    text
}

fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, shift)| bytes >= 1 << shift) {
        Some((unit, shift)) => format!("{:.1} {unit}", bytes as f64 / (1u64 << shift) as f64),
        None => format!("{bytes} B"),
    }
}

use super::*;
use crate::config::MemorySize;

fn minimal() -> TrainConfig {
    TrainConfig { data: vec!["t.parquet".into()], target: Some("y".into()), ..TrainConfig::default() }
}

/// The message of `config`'s failure.
fn refused(change: impl FnOnce(&mut TrainConfig)) -> String {
    let mut config = minimal();
    change(&mut config);
    config.check().expect_err("must be refused").to_string()
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = minimal().check().unwrap();
    assert_eq!(config.penalty, PenaltyConfig::Strength { c: 1.0, l1_ratio: 0.0 });
    assert_eq!((config.tolerance, config.epochs, config.seed), (1e-6, DEFAULT_EPOCHS, 0));
    assert!(config.standardize && config.intercept);
    assert_eq!(config.features, Features::AllBut(vec![]));
}

#[test]
fn a_strength_is_divided_by_the_weight_of_the_rows() {
    let penalty = PenaltyConfig::Strength { c: 0.5, l1_ratio: 0.25 }.resolve(100.0);
    assert_eq!(penalty, Penalty { l1: 0.005, l2: 0.015 });
}

#[test]
fn refusals_name_the_flag_and_the_value() {
    assert_eq!(refused(|c| c.l1 = Some(-1.0)), "--l1 is -1; expected a finite number, zero or more");
    for (flag, message) in [
        ("--l2", refused(|c| c.l2 = Some(f64::NAN))),
        ("--c", refused(|c| c.c = Some(0.0))),
        ("--l1-ratio", refused(|c| c.l1_ratio = Some(1.5))),
        ("--tolerance", refused(|c| c.tolerance = Some(0.0))),
        ("--momentum", refused(|c| c.momentum = Some(1.0))),
        ("--learning-rate", refused(|c| c.learning_rate = Some(f64::INFINITY))),
        ("--epochs", refused(|c| c.epochs = Some(0))),
        ("--batch-size", refused(|c| c.batch_size = Some(0))),
        ("--validation-fraction", refused(|c| c.validation_fraction = Some(1.0))),
        ("--memory", refused(|c| c.memory = Some(MemorySize(0)))),
        ("--threads", refused(|c| c.threads = Some(0))),
        ("--target", refused(|c| c.target = None)),
        ("DATA", refused(|c| c.data.clear())),
        ("--validation", refused(|c| c.patience = Some(3))),
        ("\"y\"", refused(|c| c.features = vec!["y".into()])),
        ("\"y\"", refused(|c| c.weight = Some("y".into()))),
        ("\"a\"", refused(|c| c.exclude = vec!["a".into(), "a".into()])),
    ] {
        assert!(message.contains(flag), "{flag} is not in {message:?}");
    }
}

#[test]
fn a_penalty_on_two_scales_is_refused() {
    let message = refused(|c| (c.l2, c.c) = (Some(1.0), Some(1.0)));
    assert!(message.starts_with("--l2 and --c cannot be used together"), "{message}");
}

#[test]
fn a_flag_wins_over_the_file() {
    let file: TrainConfig = toml::from_str(
        "data = 'a.parquet'\ntarget = 'y'\nl1 = 0.1\nepochs = 5\nno-intercept = true\ndevice = 1\nmemory = '1GiB'",
    )
    .unwrap();
    let flags =
        TrainConfig { c: Some(2.0), epochs: Some(7), no_intercept: Some(false), ..TrainConfig::default() };
    let config = file.merge(flags).check().unwrap();
    assert_eq!(config.penalty, PenaltyConfig::Strength { c: 2.0, l1_ratio: 0.0 });
    assert_eq!((config.epochs, config.intercept, config.device), (7, true, Device::Index(1)));
    assert_eq!((config.data, config.memory), (vec!["a.parquet".to_owned()], Some(1 << 30)));
}

#[test]
fn the_bound_on_iterations_bounds_epochs_too() {
    let config = TrainConfig { max_iterations: Some(3), ..minimal() }.check().unwrap();
    assert_eq!(config.epochs, 3);
}

#[test]
fn settings_survive_being_written_as_toml() {
    let config = TrainConfig {
        c: Some(0.1),
        device: Some(Device::Software),
        memory: Some(MemorySize(1 << 20)),
        categorical: vec!["month".into()],
        ..minimal()
    };
    let text = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<TrainConfig>(&text).unwrap(), config, "{text}");
}

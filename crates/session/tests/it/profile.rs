//! Profiles: presets, overrides, sources and the machine.

use codeanatomy_session::{
    Machine, MemoryPoolKind, Preset, RuntimeProfile, Session, Setting, SettingClass, SettingSource,
    classify,
};
use codeanatomy_vocab::Error;

use crate::{LARGE, RUN_TIME, profile, profile_on};

fn refusal(key: &str, value: &str) -> Error {
    RuntimeProfile::preset(Preset::Default)
        .set(key, value, SettingSource::Caller)
        .unwrap_err()
}

fn key_values(profile: &RuntimeProfile) -> Vec<(String, String)> {
    let settings = profile.settings_payload().into_iter();
    settings
        .map(|setting| (setting.key, setting.value))
        .collect()
}

#[test]
fn a_large_machine_gives_each_preset_what_it_asks_for() {
    for (name, memory_gib, concurrency) in [
        ("default", 8, 8),
        ("dev", 4, 4),
        ("prod", 16, 16),
        ("cst_autoload", 8, 8),
        ("symtable", 4, 4),
    ] {
        let preset: Preset = name.parse().unwrap();
        let (profile, notices) = RuntimeProfile::preset(preset).build(LARGE).unwrap();
        assert_eq!(notices, []);
        assert_eq!(profile.base_preset(), preset);
        assert_eq!(profile.memory_limit_bytes(), memory_gib << 30);
        assert_eq!(profile.concurrency(), concurrency);
        assert_eq!(profile.target_partitions(), concurrency);
        assert_eq!(profile.planning_concurrency(), concurrency);
    }
}

#[test]
fn a_misspelt_preset_is_refused_with_the_nearest_one() {
    let error = "prdo".parse::<Preset>().unwrap_err();
    assert_eq!(error.code().id(), "CA-SESSION-0001");
    assert_eq!(error.nearest(), Some("prod"));
    assert!(error.expected().unwrap().contains("`cst_autoload`"));
}

#[test]
fn a_preset_that_asks_for_more_than_the_machine_has_is_lowered_and_says_so() {
    let small = Machine {
        cores: 2,
        memory_bytes: 10 << 30,
    };
    let (profile, notices) = RuntimeProfile::preset(Preset::Prod).build(small).unwrap();
    assert_eq!(profile.target_partitions(), 2);
    assert_eq!(profile.concurrency(), 2);
    assert_eq!(profile.planning_concurrency(), 2);
    assert_eq!(profile.memory_limit_bytes(), 6 << 30);
    let messages: Vec<_> = notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "preset `prod` asks for concurrency and partitions of 16, this machine has 2 cores: \
             using 2",
            "preset `prod` asks for a memory limit of 16GiB, more than 60 % of this machine's \
             10.0 GiB: using 6GiB",
        ]
    );
    let source = profile.setting("target_partitions").unwrap().source;
    assert_eq!(source.to_string(), "machine (preset `prod` asked for 16)");
}

#[test]
fn what_a_person_asks_for_stays_and_is_remarked_on() {
    let small = Machine {
        cores: 2,
        memory_bytes: 4 << 30,
    };
    let mut builder = RuntimeProfile::preset(Preset::Dev);
    let flag = |flag: &str| SettingSource::Flag {
        flag: flag.to_owned(),
    };
    builder
        .set("target_partitions", "32", flag("--partitions"))
        .unwrap();
    builder
        .set("memory_limit", "3GiB", flag("--memory"))
        .unwrap();
    builder.set("concurrency", "16", flag("--jobs")).unwrap();
    let (profile, notices) = builder.build(small).unwrap();
    assert_eq!(profile.target_partitions(), 32);
    assert_eq!(profile.concurrency(), 16);
    assert_eq!(profile.memory_limit_bytes(), 3 << 30);
    let keys: Vec<_> = notices.iter().map(|notice| notice.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "datafusion.execution.target_partitions",
            "datafusion.runtime.memory_limit"
        ]
    );
    assert!(
        notices[0]
            .message
            .starts_with("flag --partitions asks for 32")
    );
}

#[test]
fn a_machine_of_unknown_memory_lowers_nothing() {
    let machine = Machine {
        cores: 64,
        memory_bytes: u64::MAX,
    };
    let (profile, notices) = RuntimeProfile::preset(Preset::Prod).build(machine).unwrap();
    assert_eq!(notices, []);
    assert_eq!(profile.memory_limit_bytes(), 16 << 30);
}

#[test]
fn the_payload_lists_every_setting_once_sorted_and_classified() {
    let payload = profile(&[]).settings_payload();
    assert!(payload.windows(2).all(|pair| pair[0].key < pair[1].key));
    assert!(payload.len() > 150);
    for setting in &payload {
        assert_eq!(classify(&setting.key), Some(setting.class));
    }
    let value = |key: &str| {
        let setting = payload.iter().find(|setting| setting.key == key).unwrap();
        (setting.value.as_str(), setting.source.to_string())
    };
    assert_eq!(
        value("datafusion.runtime.memory_limit"),
        ("4GiB", "preset `dev`".to_owned())
    );
    assert_eq!(
        value("datafusion.runtime.temp_directory"),
        (Setting::UNSET, "engine default".to_owned())
    );
    assert_eq!(
        value("datafusion.sql_parser.collect_spans"),
        ("true", "pinned default".to_owned())
    );
    assert_eq!(value("session.preset"), ("dev", "preset `dev`".to_owned()));
}

#[test]
fn a_payload_that_is_set_again_gives_the_same_settings() {
    let settings = [
        ("memory_limit", "1.5G"),
        ("list_files_cache_ttl", "90s"),
        (
            "datafusion.optimizer.enable_dynamic_filter_pushdown",
            "false",
        ),
        (
            "datafusion.optimizer.enable_join_dynamic_filter_pushdown",
            "true",
        ),
        ("datafusion.sql_parser.dialect", "PostgreSQL"),
        ("datafusion.explain.analyze_categories", "rows,bytes"),
        (
            "datafusion.execution.parquet.max_row_group_bytes",
            "1000000",
        ),
    ];
    for before in [profile(&[]), profile(&settings)] {
        let mut builder = RuntimeProfile::preset(before.base_preset());
        let mut settings = before.settings_payload();
        // This key switches others with it, so it comes first, as anyone would write it.
        settings.sort_by_key(|setting| !setting.key.ends_with(".enable_dynamic_filter_pushdown"));
        for setting in settings {
            if setting.value != Setting::UNSET {
                builder
                    .set(&setting.key, &setting.value, setting.source)
                    .unwrap();
            }
        }
        let (after, _) = builder.build(LARGE).unwrap();
        assert_eq!(key_values(&after), key_values(&before));
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    for (key, nearest) in [
        ("batchsize", Some("batch_size")),
        ("target_partition", Some("target_partitions")),
        (
            "datafusion.execution.batchsize",
            Some("datafusion.execution.batch_size"),
        ),
        (
            "execution.batch_size",
            Some("datafusion.execution.batch_size"),
        ),
        (
            "prefer_hashjoin",
            Some("datafusion.optimizer.prefer_hash_join"),
        ),
        ("aws_secret_access_key", None),
    ] {
        let error = refusal(key, "hunter2");
        assert_eq!(error.code().id(), "CA-SESSION-0001");
        assert_eq!(error.nearest(), nearest, "{key}");
        assert!(error.help().is_some());
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn a_bad_value_is_refused_with_what_was_expected() {
    for (key, value, expected) in [
        ("memory_limit", "much", "a size such as"),
        ("memory_limit", "10", "at least 1MiB"),
        ("memory_limit", "", "a size such as"),
        ("target_partitions", "0", "a whole number from 1 to 4096"),
        ("target_partitions", "-1", "a whole number from 1 to 4096"),
        (
            "batch_size",
            "99999999999",
            "a whole number from 1 to 1048576",
        ),
        ("concurrency", "many", "a whole number from 1 to 4096"),
        ("repartition_file_scans", "maybe", "`true` or `false`"),
        ("deterministic", "1", "`true` or `false`"),
        ("list_files_cache_ttl", "soon", "a duration such as"),
        ("memory_pool", "fair_spil", "one of `fair_spill`, `greedy`"),
        ("time_zone", "Mars/Olympus", "an offset such as"),
        ("spill_dir", "s3://key:hunter2@bucket/x", "a local folder"),
        (
            "datafusion.sql_parser.dialect",
            "klingon",
            "what the engine takes",
        ),
        (
            "datafusion.sql_parser.recursion_limit",
            "0",
            "a whole number",
        ),
        (
            "datafusion.sql_parser.default_null_ordering",
            "last",
            "one of `nulls_first`",
        ),
        (
            "datafusion.execution.parquet.compression",
            "zstd",
            "`zstd(level)`",
        ),
        (
            "datafusion.execution.parquet.compression",
            "zstd(99)",
            "`zstd(level)`",
        ),
        (
            "datafusion.execution.parquet.bloom_filter_fpp",
            "2",
            "between 0 and 1",
        ),
        (
            "datafusion.execution.parquet.max_row_group_size",
            "0",
            "at least 1",
        ),
        (
            "datafusion.optimizer.default_filter_selectivity",
            "101",
            "from 0 to 100",
        ),
        ("datafusion.explain.format", "poem", "what the engine takes"),
        ("datafusion.catalog.default_schema", " ", "a name"),
    ] {
        let error = refusal(key, value);
        assert_eq!(error.code().id(), "CA-SESSION-0002", "{key} = {value}");
        let told = error.expected().unwrap();
        assert!(told.contains(expected), "{key} = {value}: {told}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert_eq!(
        refusal("memory_pool", "fair_spil").nearest(),
        Some("fair_spill")
    );
    let long = "x".repeat(10_000);
    assert!(refusal("memory_limit", &long).to_string().len() < 200);
}

#[test]
fn settings_that_would_give_wrong_or_unpinned_answers_cannot_be_made() {
    for (key, value) in [
        (
            "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown",
            "true",
        ),
        ("datafusion.catalog.location", "/tmp"),
        ("datafusion.catalog.format", "csv"),
        (
            "datafusion.catalog.create_default_catalog_and_schema",
            "false",
        ),
        ("preset", "prod"),
    ] {
        let error = refusal(key, value);
        assert_eq!(error.code().id(), "CA-SESSION-0003", "{key}");
        assert!(error.help().is_some());
    }
    // The value that they have anyway is no contradiction.
    profile(&[
        (
            "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown",
            "false",
        ),
        ("preset", "dev"),
    ]);
}

#[test]
fn the_switch_for_all_dynamic_filters_leaves_those_of_aggregates_off() {
    let key = |kind: &str| format!("datafusion.optimizer.enable_{kind}dynamic_filter_pushdown");
    for switch in ["true", "false"] {
        let profile = profile(&[(&key(""), switch)]);
        for (kind, value) in [
            ("join_", switch),
            ("topk_", switch),
            ("aggregate_", "false"),
        ] {
            assert_eq!(profile.setting(&key(kind)).unwrap().value, value, "{kind}");
        }
    }
}

#[test]
fn a_failed_call_changes_nothing_and_a_later_call_wins() {
    let mut builder = RuntimeProfile::preset(Preset::Dev);
    let mut set = |key, value| builder.set(key, value, SettingSource::Caller);
    set("batch_size", "1000").unwrap();
    set("batch_size", "none").unwrap_err();
    set("datafusion.execution.batch_size", " 2_000 ").unwrap();
    let (profile, _) = builder.build(LARGE).unwrap();
    assert_eq!(profile.batch_size(), 2000);
    assert_eq!(profile.setting("batch_size").unwrap().value, "2000");
}

#[test]
fn equal_values_in_other_spellings_make_equal_profiles() {
    let plain = profile(&[
        ("memory_limit", "2GiB"),
        ("list_files_cache_ttl", "2m"),
        ("collect_statistics", "false"),
        ("datafusion.sql_parser.dialect", "postgresql"),
        ("memory_pool", "greedy"),
    ]);
    let spelt = profile(&[
        ("datafusion.runtime.memory_limit", "2048M"),
        ("list_files_cache_ttl", "120s"),
        ("collect_statistics", "false"),
        ("datafusion.sql_parser.dialect", "PostgreSQL"),
        ("memory_pool", "Greedy"),
    ]);
    assert_eq!(plain, spelt);
    assert_eq!(plain.memory_pool(), MemoryPoolKind::Greedy);
}

#[test]
fn identities_depend_on_the_configuration_and_not_on_the_machine() {
    let small = Machine {
        cores: 1,
        memory_bytes: 1 << 30,
    };
    let settings = [("memory_limit", "64MiB")];
    let (here, there) = (profile(&settings), profile_on(small, &settings));
    assert_ne!(here.target_partitions(), there.target_partitions());
    assert_ne!(key_values(&here), key_values(&there));
    assert_eq!(here.identity_settings(), there.identity_settings());
    assert_eq!(here.semantic_settings(), there.semantic_settings());
}

#[test]
fn a_setting_changes_the_identities_of_its_class() {
    let base = profile(&[]);
    for (key, value, class) in [
        ("time_zone", "Europe/Berlin", SettingClass::Semantic),
        ("target_partitions", "3", SettingClass::Determinism),
        ("memory_limit", "1GiB", SettingClass::Determinism),
        ("spill_dir", "somewhere", SettingClass::Performance),
        ("concurrency", "3", SettingClass::Performance),
    ] {
        let other = profile(&[(key, value)]);
        let semantic = base.semantic_settings() != other.semantic_settings();
        let identity = base.identity_settings() != other.identity_settings();
        assert_eq!(semantic, class == SettingClass::Semantic, "{key}");
        assert_eq!(identity, class != SettingClass::Performance, "{key}");
        assert_ne!(base.settings_payload(), other.settings_payload());
    }
}

#[test]
fn a_deterministic_profile_does_one_thing_after_another() {
    let profile = profile(&[("deterministic", "true")]);
    assert!(profile.is_deterministic());
    assert_eq!(profile.target_partitions(), 1);
    let stealing = profile
        .setting("datafusion.execution.enable_file_stream_work_stealing")
        .unwrap();
    assert_eq!(stealing.value, "false");
    assert_eq!(stealing.source.to_string(), "computed from deterministic");
}

#[test]
fn deterministic_and_many_partitions_contradict_each_other() {
    let mut builder = RuntimeProfile::preset(Preset::Dev);
    let line = SettingSource::ConfigFile {
        path: "codeanatomy.toml".to_owned(),
        line: Some(3),
    };
    builder
        .set("deterministic", "true", SettingSource::Caller)
        .unwrap();
    builder.set("target_partitions", "4", line).unwrap();
    let error = builder.build(LARGE).unwrap_err();
    assert_eq!(error.code().id(), "CA-SESSION-0003");
    assert!(error.to_string().contains("codeanatomy.toml:3"));
}

#[test]
fn a_profile_survives_being_stored() {
    let before = profile(&[("memory_limit", "64MiB"), ("spill_dir", "spill here")]);
    let text = serde_json::to_string(&before).unwrap();
    let after: RuntimeProfile = serde_json::from_str(&text).unwrap();
    assert_eq!(after, before);
    assert!(text.starts_with(r#"{"format_version":1,"#));
    Session::build(&after, RUN_TIME).map(drop).unwrap();
}

#[test]
fn a_profile_of_another_format_engine_or_hand_is_refused() {
    let text = serde_json::to_string(&profile(&[])).unwrap();
    let read = |text: &str| serde_json::from_str::<RuntimeProfile>(text);

    assert!(read(&text.replace(r#""format_version":1"#, r#""format_version":2"#)).is_err());
    assert!(read(&text.replace(r#""4GiB""#, r#""lots""#)).is_err());
    assert!(read(&text.replace("session.memory_pool", "session.memory_poll")).is_err());

    let build = |text: &str| Session::build(&read(text).unwrap(), RUN_TIME).unwrap_err();
    let version = format!(r#""engine_version":"{}""#, Session::engine_version());
    let other = text.replace(&version, r#""engine_version":"54.0.0""#);
    assert_eq!(build(&other).code().id(), "CA-SESSION-0005");
    let unknown = text.replace("prefer_hash_join", "prefer_hush_join");
    assert_eq!(build(&unknown).code().id(), "CA-SESSION-0001");
    let pushdown = r#"enable_aggregate_dynamic_filter_pushdown":{"value":"false""#;
    assert!(text.contains(pushdown));
    let wrong = text.replace(pushdown, &pushdown.replace("false", "true"));
    assert_eq!(build(&wrong).code().id(), "CA-SESSION-0003");
}

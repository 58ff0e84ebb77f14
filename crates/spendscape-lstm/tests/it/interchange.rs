//! Weights out and in again, and files that must be refused.

use crate::support::{problem, rng};
use spendscape_lstm::{Activation, Bias, Error, Layout, Network, NetworkParams};

fn shapes() -> Vec<NetworkParams> {
    vec![
        NetworkParams::lstm(7, 3).outputs(2),
        NetworkParams::lstm(7, 4).stacked(5).bias(Bias::Double).dense(3, Activation::Tanh).outputs(2),
        NetworkParams::autoencoder(7, 3, Activation::Tanh),
    ]
}

#[test]
fn both_layouts_return_the_same_function() {
    let x = problem(9, 4, 7, 1).0;
    for shape in shapes() {
        let mut network: Network<f32> = shape.init(&mut rng(1)).unwrap();
        // Multiples of 1/1024, so that the sum of two biases is exact, and no tensor is all zeros.
        for (i, value) in network.parameters_mut().iter_mut().enumerate() {
            *value = ((i * 7919) % 1025) as f32 / 1024.0 - 0.5;
        }
        for layout in [Layout::PyTorch, Layout::Keras] {
            let bytes = network.to_safetensors(layout).unwrap();
            let mut other: Network<f32> = shape.zeros().unwrap();
            other.load_safetensors(&bytes, layout, str::to_owned).unwrap();
            assert_eq!(other.predict(&x).unwrap(), network.predict(&x).unwrap(), "{layout:?}");
            let mut wide: Network<f64> = shape.zeros().unwrap();
            wide.load_safetensors(&bytes, layout, str::to_owned).unwrap();
        }
    }
}

#[test]
fn bad_files_are_refused_with_the_tensor_named() {
    let shape = NetworkParams::lstm(7, 3).outputs(2);
    let mut network: Network<f32> = shape.init(&mut rng(1)).unwrap();
    let before = network.clone();
    let bytes = network.to_safetensors(Layout::PyTorch).unwrap();
    for cut in [0, 7, 8, 100] {
        let error = network.load_safetensors(&bytes[..cut], Layout::PyTorch, str::to_owned);
        assert!(matches!(error, Err(Error::Safetensors(_))), "header cut at {cut}: {error:?}");
    }
    for cut in 1..=bytes.len() - data_start(&bytes) {
        let cut = bytes.len() - cut;
        let error = network.load_safetensors(&bytes[..cut], Layout::PyTorch, str::to_owned).unwrap_err();
        let Error::TensorBytes { name, expected, found } = &error else { panic!("cut at {cut}: {error}") };
        assert!(
            found < expected && bytes[..data_start(&bytes)].windows(name.len()).any(|w| w == name.as_bytes())
        );
    }
    let cut = network.load_safetensors(&bytes[..bytes.len() - 1], Layout::PyTorch, str::to_owned);
    assert!(matches!(&cut, Err(Error::TensorBytes { name, .. }) if name == "lstm.weight_ih_l0"), "{cut:?}");
    for (old, new) in [("\"shape\":[2]", "\"shape\":[3]"), ("\"F32\",\"shape\":[2]", "\"F64\",\"shape\":[2]")]
    {
        let error = network.load_safetensors(&replaced(&bytes, old, new), Layout::PyTorch, str::to_owned);
        assert!(
            matches!(&error, Err(Error::TensorBytes { name, .. }) if name == "dense.0.bias"),
            "{error:?}"
        );
    }
    let integers = replaced(&bytes, "\"F32\",\"shape\":[2]", "\"I32\",\"shape\":[2]");
    let error = network.load_safetensors(&integers, Layout::PyTorch, str::to_owned);
    assert!(matches!(&error, Err(Error::TensorType { name, .. }) if name == "dense.0.bias"), "{error:?}");
    let overlapping = replaced(&bytes, "\"data_offsets\":[0,8]", "\"data_offsets\":[4,8]");
    let error = network.load_safetensors(&overlapping, Layout::PyTorch, str::to_owned).unwrap_err();
    assert!(error.to_string().contains("dense.0.bias"), "{error}");
    let error = network.load_safetensors(&bytes, Layout::Keras, str::to_owned).unwrap_err();
    assert!(error.to_string().contains("lstm/lstm_cell/kernel"), "{error}");
    let mut wider: Network<f32> = NetworkParams::lstm(7, 4).outputs(2).zeros().unwrap();
    let error = wider.load_safetensors(&bytes, Layout::PyTorch, str::to_owned).unwrap_err();
    assert!(error.to_string().contains("lstm.weight_ih_l0"), "{error}");
    let mut broken = network.clone();
    let last = broken.parameters().len() - 1;
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        broken.parameters_mut()[last] = bad;
        for (layout, tensor) in [(Layout::PyTorch, "dense.0.bias"), (Layout::Keras, "dense/bias")] {
            let bytes = broken.to_safetensors(layout).unwrap();
            let error = network.load_safetensors(&bytes, layout, str::to_owned).unwrap_err();
            assert!(matches!(&error, Error::TensorValue { name, index: 1, .. } if name == tensor), "{error}");
        }
    }
    assert_eq!(network, before, "a refused file changes nothing");
}

/// The file without the tensors of some names.
fn without(bytes: &[u8], gone: &[&str]) -> Vec<u8> {
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    safetensors::serialize(file.iter().filter(|(name, _)| !gone.contains(name)), None).unwrap()
}

#[test]
fn biases_that_are_missing_as_a_kind_are_zero_and_some_are_refused() {
    let shape = NetworkParams::lstm(3, 2).stacked(2).bias(Bias::Double).outputs(2);
    for (layout, of_lstm, of_dense) in [
        (
            Layout::PyTorch,
            ["lstm.bias_ih_l0", "lstm.bias_hh_l0", "lstm.bias_ih_l1", "lstm.bias_hh_l1"].as_slice(),
            ["dense.0.bias"].as_slice(),
        ),
        (Layout::Keras, &["lstm/lstm_cell/bias", "lstm_1/lstm_cell/bias"], &["dense/bias"]),
    ] {
        let network: Network<f64> = shape.init(&mut rng(3)).unwrap();
        let bytes = network.to_safetensors(layout).unwrap();
        let mut loaded: Network<f64> = shape.init(&mut rng(4)).unwrap();
        loaded
            .load_safetensors(&without(&bytes, &[of_lstm, of_dense].concat()), layout, str::to_owned)
            .unwrap();
        // The weights are the file's, and the biases zero.
        let weights = without(&bytes, &[of_lstm, of_dense].concat());
        let again = without(&loaded.to_safetensors(layout).unwrap(), &[of_lstm, of_dense].concat());
        assert_eq!(again, weights);
        let zero = without(&loaded.to_safetensors(layout).unwrap(), &[]);
        let file = safetensors::SafeTensors::deserialize(&zero).unwrap();
        for name in [of_lstm, of_dense].concat() {
            assert!(file.tensor(name).unwrap().data().iter().all(|byte| *byte == 0), "{name}");
        }
        for gone in of_lstm {
            let error =
                loaded.load_safetensors(&without(&bytes, &[gone]), layout, str::to_owned).unwrap_err();
            let named = matches!(&error, Error::TensorName { name, problem: "missing" } if name == gone);
            assert!(named, "{error}");
        }
    }
}

/// Where the numbers of a file begin.
fn data_start(bytes: &[u8]) -> usize {
    8 + usize::try_from(u64::from_le_bytes(*bytes.first_chunk().unwrap())).unwrap()
}

/// The file with another text of the same length in its header.
fn replaced(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    let (header, numbers) = bytes.split_at(data_start(bytes));
    let text = str::from_utf8(&header[8..]).unwrap();
    assert!(text.contains(old) && old.len() == new.len(), "{text}");
    [&header[..8], text.replacen(old, new, 1).as_bytes(), numbers].concat()
}

/// The file with another header; the numbers stay.
fn with_header(bytes: &[u8], change: impl FnOnce(String) -> String) -> Vec<u8> {
    let (header, numbers) = bytes.split_at(data_start(bytes));
    let header = change(str::from_utf8(&header[8..]).unwrap().trim_end().to_owned());
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), numbers].concat()
}

/// A net of the file's layers and one more, in both layouts, and a tensor that PyTorch has for another kind of LSTM.
#[test]
fn tensors_too_many_or_too_few_are_named() {
    let deep = NetworkParams::lstm(3, 3).stacked(3).outputs(3).outputs(3);
    let less = NetworkParams::lstm(3, 3).outputs(3);
    for (layout, missing, extra) in [
        (Layout::PyTorch, "lstm.weight_ih_l1", "dense.1.bias"),
        (Layout::Keras, "lstm_1/lstm_cell/kernel", "dense_1/bias"),
    ] {
        let bytes = deep.init::<f32, _>(&mut rng(1)).unwrap().to_safetensors(layout).unwrap();
        let mut network: Network<f32> = less.zeros().unwrap();
        let before = network.clone();
        let error = network.load_safetensors(&bytes, layout, str::to_owned).unwrap_err();
        let surplus =
            matches!(&error, Error::TensorName { name, problem: "not part of the network" } if name == extra);
        assert!(surplus, "{error}");
        assert_eq!(network, before);
        let bytes = network.to_safetensors(layout).unwrap();
        let error = deep.zeros::<f32>().unwrap().load_safetensors(&bytes, layout, str::to_owned).unwrap_err();
        assert!(
            matches!(&error, Error::TensorName { name, problem: "missing" } if name == missing),
            "{error}"
        );
    }
    let network: Network<f32> = less.zeros().unwrap();
    let backward = with_header(&network.to_safetensors(Layout::PyTorch).unwrap(), |header| {
        let end = 4 * network.parameters().len() + 4 * 12;
        let more = format!(
            ",\"lstm.bias_ih_l0_reverse\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[{end},{end}]}}}}"
        );
        header.strip_suffix('}').unwrap().to_owned() + &more
    });
    let error = network.clone().load_safetensors(&backward, Layout::PyTorch, str::to_owned).unwrap_err();
    assert!(matches!(&error, Error::TensorName { name, .. } if name == "lstm.bias_ih_l0_reverse"), "{error}");
}

/// Keras counts the state of the random numbers that dropout draws from among the weights.
#[test]
fn seeds_of_keras_are_passed_over() {
    use safetensors::{Dtype, SafeTensors, tensor::TensorView};
    let network: Network<f32> = NetworkParams::lstm(3, 2).outputs(1).init(&mut rng(1)).unwrap();
    let bytes = network.to_safetensors(Layout::Keras).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let seed = (
        "lstm/lstm_cell/seed_generator/seed_generator_state",
        TensorView::new(Dtype::U32, vec![2], &[7; 8]).unwrap(),
    );
    let with_seed = safetensors::serialize(file.iter().chain([seed]), None).unwrap();
    let mut loaded = network.clone();
    loaded.parameters_mut().fill(0.0);
    loaded.load_safetensors(&with_seed, Layout::Keras, str::to_owned).unwrap();
    assert_eq!(loaded, network);
}

#[test]
fn a_tensor_described_twice_is_named() {
    let mut network: Network<f32> = NetworkParams::lstm(7, 3).outputs(2).init(&mut rng(1)).unwrap();
    let bytes = network.to_safetensors(Layout::PyTorch).unwrap();
    let twice = with_header(&bytes, |header| {
        let first = header.find("\"dense.0.bias\"").unwrap();
        let end = first + header[first..].find('}').unwrap() + 1;
        format!("{},{}", &header[..end], header[first..].to_owned())
    });
    let error = network.load_safetensors(&twice, Layout::PyTorch, str::to_owned).unwrap_err();
    assert!(
        matches!(&error, Error::TensorName { name, problem: "described twice" } if name == "dense.0.bias"),
        "{error}"
    );
}

#[test]
fn a_header_longer_than_the_file_is_refused() {
    let mut network: Network<f32> = NetworkParams::lstm(7, 3).outputs(2).init(&mut rng(1)).unwrap();
    let mut bytes = network.to_safetensors(Layout::PyTorch).unwrap();
    for length in [0, 1, bytes.len() as u64, u64::from(u32::MAX), u64::MAX - 7, u64::MAX] {
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        let error = network.load_safetensors(&bytes, Layout::PyTorch, str::to_owned);
        assert!(matches!(error, Err(Error::Safetensors(_))), "{length}: {error:?}");
    }
}

/// Any byte may be any other: the file is refused, or the numbers that it has are loaded.
#[test]
fn no_byte_makes_it_panic() {
    let mut network: Network<f32> = NetworkParams::lstm(2, 1).outputs(1).init(&mut rng(1)).unwrap();
    let before = network.clone();
    for layout in [Layout::PyTorch, Layout::Keras] {
        let bytes = before.to_safetensors(layout).unwrap();
        for at in 0..bytes.len() {
            let others =
                if at < data_start(&bytes) { (0..=255).collect() } else { vec![0, 0x7f, 0x80, 0xff] };
            for other in others {
                let mut bytes = bytes.clone();
                bytes[at] = other;
                match network.load_safetensors(&bytes, layout, str::to_owned) {
                    Ok(()) => assert!(network.parameters().iter().all(|value| value.is_finite())),
                    Err(_) => assert_eq!(network, before, "byte {at} as {other}"),
                }
                network.clone_from(&before);
            }
        }
    }
}

#[test]
fn a_number_too_large_for_f32_is_refused() {
    let shape = NetworkParams::lstm(2, 1).outputs(1);
    let mut wide: Network<f64> = shape.zeros().unwrap();
    wide.parameters_mut()[3] = 1e300;
    let bytes = wide.to_safetensors(Layout::PyTorch).unwrap();
    let mut narrow: Network<f32> = shape.zeros().unwrap();
    let error = narrow.load_safetensors(&bytes, Layout::PyTorch, str::to_owned);
    assert!(
        matches!(&error, Err(Error::TensorValue { name, index: 3, .. }) if name == "lstm.weight_ih_l0"),
        "{error:?}"
    );
}

#[test]
fn names_can_be_mapped() {
    let shape = NetworkParams::lstm(7, 3).outputs(2);
    let network: Network<f64> = shape.init(&mut rng(1)).unwrap();
    let bytes = network.to_safetensors(Layout::PyTorch).unwrap();
    let mut other: Network<f64> = shape.zeros().unwrap();
    let error = other.load_safetensors(&bytes, Layout::PyTorch, |name| name.replace("dense.0", "head"));
    assert!(matches!(error, Err(Error::TensorName { name, .. }) if name == "head.weight"));
}

//! Files of tensors in PyTorch's and Keras's layouts: what is read of them, and what is refused.

use safetensors::{Dtype, tensor::TensorView};

use super::*;

type Entry<'a> = (&'a str, &'a [usize], f32);

fn file(tensors: &[(impl AsRef<str>, &[usize], f32)]) -> Vec<u8> {
    let data: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, shape, value)| {
            let count = shape.iter().product::<usize>();
            (name.as_ref(), shape.to_vec(), value.to_le_bytes().repeat(count))
        })
        .collect();
    let views = data.iter().map(|(n, s, d)| (n, TensorView::new(Dtype::F32, s.clone(), d).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

fn parse(bytes: &[u8]) -> Result<RecurrentNet, Error> {
    RecurrentNet::read(bytes, &NetChoice::default())
}

fn error(tensors: &[Entry<'_>]) -> String {
    parse(&file(tensors)).unwrap_err().to_string()
}

fn module(name: &str) -> NetChoice {
    NetChoice { modules: vec![name.to_owned()], ..NetChoice::default() }
}

/// An LSTM of two units and three inputs, with what is added to it.
fn lstm<'a>(prefix: &str, more: &[Entry<'a>]) -> Vec<(String, &'a [usize], f32)> {
    let own: [(&str, &[usize]); 4] =
        [("weight_ih_l0", &[8, 3]), ("weight_hh_l0", &[8, 2]), ("bias_ih_l0", &[8]), ("bias_hh_l0", &[8])];
    let own = own.into_iter().map(|(name, shape)| (format!("{prefix}{name}"), shape, 0.1));
    own.chain(more.iter().map(|(name, shape, value)| ((*name).to_owned(), *shape, *value))).collect()
}

fn refused(tensors: &[(String, &[usize], f32)], choice: &NetChoice) -> String {
    match RecurrentNet::read(&file(tensors), choice) {
        Ok(net) => panic!("{tensors:?} was read as {net:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_shape_tells_the_cell() {
    let lstm = file(&[("rnn.weight_ih_l0", &[8, 3], 0.1), ("rnn.weight_hh_l0", &[8, 2], 0.1)]);
    let net = parse(&lstm).unwrap();
    assert_eq!((net.cell, net.layers.len(), net.assumed), (Cell::Lstm, 1, false));
    assert_eq!((net.layers[0].input.dim(), net.layers[0].recurrent.dim()), ((8, 3), (8, 2)));
    let gru = file(&[
        ("weight_ih_l0", &[6, 3], 0.1),
        ("weight_hh_l0", &[6, 2], 0.1),
        ("bias_ih_l0", &[6], 0.1),
        ("bias_hh_l0", &[6], 0.1),
    ]);
    assert_eq!(parse(&gru).unwrap().cell, Cell::Gru(Reset::After));
    let rnn = file(&[("weight_ih_l0", &[2, 3], 0.1), ("weight_hh_l0", &[2, 2], 0.1)]);
    let net = parse(&rnn).unwrap();
    assert_eq!((net.cell, net.assumed), (Cell::Plain(Nonlinearity::Tanh), true));
    assert!(net.description.contains("tanh") && net.description.contains("relu"), "{}", net.description);
    let relu = NetChoice { nonlinearity: Some(Nonlinearity::Relu), ..NetChoice::default() };
    let net = RecurrentNet::read(&rnn, &relu).unwrap();
    assert_eq!((net.cell, net.assumed), (Cell::Plain(Nonlinearity::Relu), false));
    assert!(RecurrentNet::read(&lstm, &relu).unwrap_err().to_string().contains("relu"));
    let before = NetChoice { reset: Some(Reset::Before), ..NetChoice::default() };
    assert!(RecurrentNet::read(&gru, &before).unwrap_err().to_string().contains("tensor weight_hh_l0: "));
    assert!(RecurrentNet::read(&lstm, &before).unwrap_err().to_string().contains("no GRU"));
    let stack = file(&[
        ("weight_ih_l0", &[8, 3], 0.1),
        ("weight_hh_l0", &[8, 2], 0.1),
        ("weight_ih_l1", &[4, 2], 0.1),
        ("weight_hh_l1", &[4, 1], 0.1),
    ]);
    assert_eq!(parse(&stack).unwrap().layers.len(), 2);
}

#[test]
fn damaged_nets_are_named() {
    assert!(parse(b"nothing").unwrap_err().to_string().contains("not a safetensors file"));
    assert!(error(&[("w", &[1, 1], 1.0)]).contains("no tensor `weight_ih_l0`"));
    let nan = error(&[("weight_ih_l0", &[4, 1], f32::NAN), ("weight_hh_l0", &[4, 1], 0.0)]);
    assert!(nan.contains("weight_ih_l0 has the value NaN at position 0"), "{nan}");
    let shape = error(&[("weight_ih_l0", &[5, 1], 1.0), ("weight_hh_l0", &[5, 2], 0.0)]);
    assert!(shape.contains("tensor weight_hh_l0: it has shape [5, 2]"), "{shape}");
    let rows = error(&[("weight_ih_l0", &[4, 1], 1.0), ("weight_hh_l0", &[8, 2], 0.0)]);
    assert!(rows.contains("tensor weight_ih_l0 has shape [4, 1]"), "{rows}");
    let empty = error(&[("weight_ih_l0", &[0, 1], 1.0), ("weight_hh_l0", &[0, 0], 0.0)]);
    assert!(empty.contains("no units"), "{empty}");
    let both = error(&[
        ("weight_ih_l0", &[4, 1], 1.0),
        ("weight_hh_l0", &[4, 1], 0.0),
        ("weight_ih_l0_reverse", &[4, 1], 1.0),
    ]);
    assert!(both.contains("not supported"), "{both}");
    let huge = error(&[("weight_ih_l0", &[2, 3], 0.1), ("weight_hh_l0", &[2, 2], 1e38)]);
    assert!(huge.contains("tensor weight_hh_l0: entry 0 is"), "{huge}");
    let layers = error(&[
        ("weight_ih_l0", &[6, 2], 1.0),
        ("weight_hh_l0", &[6, 2], 0.0),
        ("weight_ih_l1", &[6, 2], 1.0),
        ("weight_hh_l1", &[6, 2], 0.0),
    ]);
    assert!(layers.contains("only LSTM layers can be stacked"), "{layers}");
    let apart = error(&[
        ("weight_ih_l0", &[8, 2], 1.0),
        ("weight_hh_l0", &[8, 2], 0.0),
        ("weight_ih_l1", &[4, 3], 1.0),
        ("weight_hh_l1", &[4, 1], 0.0),
    ]);
    assert!(apart.contains("layer 1: it reads 3 values, but the layer below has 2 units"), "{apart}");
}

#[test]
fn files_of_other_programs_are_named_with_what_to_do() {
    for (begin, name, advice) in [
        (b"\x89HDF\r\n\x1a\n\0\0\0".as_slice(), "HDF5", "safetensors.numpy.save_file"),
        (b"PK\x03\x04\x14\0", "ZIP", "safetensors.torch.save_file"),
        (b"\x80\x02}q\0", "pickle", "safetensors.torch.save_file"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS", "git lfs pull"),
    ] {
        let message = parse(begin).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains(advice), "{message}");
    }
}

/// The length of a header may be the first bytes of other kinds of files: 640 those of a pickle, 520 those of ONNX.
#[test]
fn a_file_of_tensors_is_none_of_the_others() {
    let tensors = file(&[("rnn.weight_ih_l0", &[8, 3], 0.1), ("rnn.weight_hh_l0", &[8, 2], 0.1)]);
    let header = usize::try_from(u64::from_le_bytes(*tensors.first_chunk().unwrap())).unwrap();
    for length in [640u64, 520] {
        let padding = vec![b' '; usize::try_from(length).unwrap() - header];
        let parts = [&length.to_le_bytes()[..], &tensors[8..8 + header], &padding, &tensors[8 + header..]];
        assert_eq!(parse(&parts.concat()).unwrap().cell, Cell::Lstm);
    }
}

#[test]
fn a_single_cell_is_read_by_its_names() {
    let cell = file(&[
        ("cell.weight_ih", &[8, 3], 0.1),
        ("cell.weight_hh", &[8, 2], 0.1),
        ("head.weight", &[1, 2], 1.0),
    ]);
    assert_eq!(parse(&cell).unwrap().layers[0].recurrent.ncols(), 2);
}

#[test]
fn every_tensor_of_the_module_must_be_understood() {
    let (matrix, vector): (&[usize], &[usize]) = (&[8, 2], &[8]);
    for (prefix, unknown, shape) in [
        ("rnn.", "rnn.bias_ih_l0_orig", vector),
        ("rnn.", "rnn.bias_ih_l0_mask", vector),
        ("rnn.", "rnn.weight_hh_l0_raw", matrix),
        ("rnn.", "rnn.weight_hh_l0_g", vector),
        ("rnn.", "rnn.parametrizations.weight_hh_l0.original0", matrix),
        ("rnn.", "rnn.anything", vector),
        ("", "parametrizations.bias_ih_l0.original", vector),
        // Weight drop keeps the true weights in the wrapper, one level up or more.
        ("rnn.module.", "rnn.weight_hh_l0_raw", matrix),
        ("rnn.module.", "weight_hh_l0_raw", matrix),
        ("rnn.module.", "rnn.parametrizations.module.weight_hh_l0.original", matrix),
        ("", "weight_hh_l0_v", matrix),
        ("", "parametrizations.weight_hh_l0.original1", matrix),
        // Layers that the first ones do not lead to.
        ("rnn.", "rnn.weight_hh_l1", matrix),
        ("rnn.", "rnn.weight_ih_l2", matrix),
        ("rnn.", "rnn.bias_hh_l1", vector),
        ("rnn.", "rnn.weight_ih_l0_reverse", matrix),
        ("rnn.", "rnn.weight_hr_l0", matrix),
        // Half of the names with another prefix, and layers within a cell.
        ("rnn.", "module.rnn.bias_hh_l0", vector),
        ("module.rnn.", "rnn.bias_ih_l0", vector),
        ("", "layernorm_i.weight", vector),
        ("", "ln_hh.weight", vector),
        ("", "weight_ci", vector),
        ("cell.", "cell.weight_cf_l0", vector),
    ] {
        let message = refused(&lstm(prefix, &[(unknown, shape, 0.1)]), &NetChoice::default());
        assert!(message.contains(&format!("tensor {unknown}: ")), "{unknown}: {message}");
    }
    // Pruning of the first tensor, which tells the module.
    let pruned = error(&[("rnn.weight_ih_l0_orig", &[8, 3], 0.1), ("rnn.weight_hh_l0", &[8, 2], 0.1)]);
    assert!(pruned.contains("rnn.weight_ih_l0_orig"), "{pruned}");
    // Other modules, the head for one, are left alone.
    for other in ["head.weight", "decoder.0.bias", "rnn2.bias", "head.parametrizations.weight.original0"] {
        assert_eq!(parse(&file(&lstm("rnn.", &[(other, &[2], 0.1)]))).unwrap().cell, Cell::Lstm, "{other}");
    }
}

#[test]
fn biases_are_all_there_or_none() {
    for gone in ["bias_ih_l0", "bias_hh_l0"] {
        let mut tensors = lstm("", &[]);
        tensors.retain(|(name, ..)| name != gone);
        let message = refused(&tensors, &NetChoice::default());
        assert!(message.contains(&format!("tensor {gone} is missing")), "{message}");
    }
    // A second layer without biases under a first one that has them.
    let more: [Entry<'_>; 2] = [("weight_ih_l1", &[4, 2], 0.1), ("weight_hh_l1", &[4, 1], 0.1)];
    assert!(refused(&lstm("", &more), &NetChoice::default()).contains("tensor bias_ih_l1 is missing"));
}

#[test]
fn one_of_several_modules_is_chosen_by_name() {
    let tensors = [lstm("encoder.rnn.", &[]), lstm("decoder.rnn.", &[])].concat();
    let several = refused(&tensors, &NetChoice::default());
    assert!(several.ends_with("choose one of \"decoder.rnn\", \"encoder.rnn\""), "{several}");
    for name in ["encoder.rnn", "encoder"] {
        assert_eq!(RecurrentNet::read(&file(&tensors), &module(name)).unwrap().layers.len(), 1);
    }
    assert!(refused(&tensors, &module("rnn")).contains("no recurrent module \"rnn\""));
    // Two modules named are the layers of a stack, which must fit on one another.
    let more: [Entry<'_>; 2] = [("top.weight_ih", &[4, 2], 0.1), ("top.weight_hh", &[4, 1], 0.1)];
    let both = lstm("encoder.", &more);
    let stack = NetChoice { modules: vec!["encoder".to_owned(), "top".to_owned()], ..NetChoice::default() };
    assert_eq!(RecurrentNet::read(&file(&both), &stack).unwrap().layers.len(), 2);
    let turned = NetChoice { modules: vec!["top".to_owned(), "encoder".to_owned()], ..NetChoice::default() };
    assert!(refused(&both, &turned).contains("layer 1: it reads 3 values, but the layer below has 1 units"));
    let twice = NetChoice { modules: vec!["top".to_owned(), "top".to_owned()], ..NetChoice::default() };
    assert!(refused(&both, &twice).contains("module top: it is asked for twice"));
    let gru: [Entry<'_>; 2] = [("top.weight_ih", &[3, 2], 0.1), ("top.weight_hh", &[3, 1], 0.1)];
    assert!(refused(&lstm("encoder.", &gru), &stack).contains("module top: its cells differ"));
}

/// The tensors of a layer of Keras.
fn keras(
    kernel: &'static [usize],
    recurrent: &'static [usize],
    bias: &'static [usize],
) -> Vec<Entry<'static>> {
    let all = [("a/cell/kernel", kernel), ("a/cell/recurrent_kernel", recurrent), ("a/cell/bias", bias)];
    all.into_iter().filter(|(_, shape)| !shape.is_empty()).map(|(name, shape)| (name, shape, 0.1)).collect()
}

#[test]
fn keras_layers_are_told_by_their_shapes() {
    let of = |tensors: &[Entry<'_>]| {
        let net = parse(&file(tensors)).unwrap();
        (net.cell, net.assumed)
    };
    assert_eq!(of(&keras(&[3, 8], &[2, 8], &[8])), (Cell::Lstm, true));
    assert_eq!(of(&keras(&[3, 6], &[2, 6], &[2, 6])), (Cell::Gru(Reset::After), true));
    assert_eq!(of(&keras(&[3, 6], &[2, 6], &[6])), (Cell::Gru(Reset::Before), true));
    assert_eq!(of(&keras(&[3, 6], &[2, 6], &[])), (Cell::Gru(Reset::After), true));
    assert_eq!(of(&keras(&[3, 2], &[2, 2], &[2])), (Cell::Plain(Nonlinearity::Tanh), true));
    let told = NetChoice {
        nonlinearity: Some(Nonlinearity::Tanh),
        reset: Some(Reset::Before),
        ..NetChoice::default()
    };
    let bare = file(&keras(&[3, 6], &[2, 6], &[]));
    let net = RecurrentNet::read(&bare, &told).unwrap();
    assert_eq!((net.cell, net.assumed), (Cell::Gru(Reset::Before), false), "{}", net.description);
    let after = file(&keras(&[3, 6], &[2, 6], &[2, 6]));
    let message = RecurrentNet::read(&after, &told).unwrap_err().to_string();
    assert!(message.contains("tensor a/cell/bias: its shape says the contrary"), "{message}");
    let only_tanh = NetChoice { reset: None, ..told };
    assert!(RecurrentNet::read(&bare, &only_tanh).unwrap().assumed, "the place of the reset is not told");
}

#[test]
fn keras_layers_that_are_not_understood_are_named() {
    // CuDNN's two biases, a bias of another width, a kernel of another layer, a convolution.
    for (kernel, recurrent, bias, place) in [
        ([3, 8].as_slice(), [2, 8].as_slice(), [16].as_slice(), "a/cell/bias"),
        (&[3, 6], &[2, 6], &[12], "a/cell/bias"),
        (&[3, 6], &[2, 6], &[3, 6], "a/cell/bias"),
        (&[3, 4], &[2, 8], &[8], "a/cell/kernel"),
        (&[3, 8], &[2, 5], &[8], "a/cell/recurrent_kernel"),
        (&[3, 3, 3, 8], &[3, 3, 2, 8], &[8], "a/cell/kernel"),
    ] {
        let message = error(&keras(kernel, recurrent, bias));
        assert!(message.contains(&format!("tensor {place}")), "{message}");
    }
    let mut peepholes = keras(&[3, 8], &[2, 8], &[8]);
    peepholes.push(("a/cell/input_gate_peephole_weights", &[2], 0.1));
    assert!(error(&peepholes).contains("tensor a/cell/input_gate_peephole_weights: "));
    let mut seeds = keras(&[3, 8], &[2, 8], &[8]);
    seeds.push(("a/cell/seed_generator/seed_generator_state", &[2], 0.1));
    seeds.push(("dense/kernel", &[2, 1], 0.1));
    assert_eq!(parse(&file(&seeds)).unwrap().cell, Cell::Lstm);
    // A bias under another name than its layer's, which would be taken for zero; that of another layer is left alone.
    for (name, is_lost) in [("a/bias", true), ("bias:0", true), ("b/cell/bias", true), ("dense/bias", false)]
    {
        let mut apart = keras(&[3, 8], &[2, 8], &[]);
        apart.extend([(name, [8].as_slice(), 0.1), ("dense/kernel", &[2, 8], 0.1)]);
        match parse(&file(&apart)) {
            Ok(_) => assert!(!is_lost, "{name}"),
            Err(error) => assert!(
                is_lost && error.to_string().contains(&format!("tensor {name}: no layer has this bias")),
                "{error}"
            ),
        }
    }
    let two = [
        ("a/cell/kernel:0", [3, 8].as_slice(), 0.1),
        ("a/cell/recurrent_kernel:0", &[2, 8], 0.1),
        ("b/cell/kernel:0", &[3, 8], 0.1),
        ("b/cell/recurrent_kernel:0", &[2, 8], 0.1),
    ];
    assert!(error(&two).ends_with("choose one of \"a/cell\", \"b/cell\""));
    assert_eq!(RecurrentNet::read(&file(&two), &module("b")).unwrap().cell, Cell::Lstm);
    let missing = [("a/cell/recurrent_kernel", [2, 8].as_slice(), 0.1), ("a/cell/bias", &[8], 0.1)];
    assert!(error(&missing).contains("tensor a/cell/kernel is missing"));
}

#[test]
fn a_matrix_is_read_by_name_and_bounded() {
    let bytes = file(&[
        ("inputs", &[2, 3], 0.5),
        ("flat", &[6], 0.5),
        ("huge", &[1, 1], 2e9),
        ("bad", &[1, 1], f32::NAN),
    ]);
    let tensors = Tensors::open(&bytes).unwrap();
    assert_eq!(tensors.matrix("inputs").unwrap(), Array2::from_elem((2, 3), 0.5));
    let error = |name: &str| tensors.matrix(name).unwrap_err().to_string();
    assert!(error("none").contains("none") && error("none").contains("missing"), "{}", error("none"));
    assert!(
        error("flat").contains("tensor flat: it has shape [6], but a matrix is needed"),
        "{}",
        error("flat")
    );
    assert!(error("huge").contains("tensor huge: entry 0 is 2e9"), "{}", error("huge"));
    assert!(error("bad").contains("bad"), "{}", error("bad"));
}

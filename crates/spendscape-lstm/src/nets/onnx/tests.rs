//! ONNX graphs made here: what is read of a node, and what is refused by its name.

use super::message::{Attribute, Function, Segment, Tensor};
use super::*;

fn integer(name: &str, integer: i64) -> Attribute {
    Attribute { name: name.to_owned(), integer, ..Attribute::default() }
}

fn text(name: &str, text: &str) -> Attribute {
    Attribute { name: name.to_owned(), text: text.into(), ..Attribute::default() }
}

fn texts(name: &str, texts: &[&str]) -> Attribute {
    let texts = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    Attribute { name: name.to_owned(), texts, ..Attribute::default() }
}

/// A tensor of f32 numbers 0, 1/8, 2/8, ..
fn numbers(name: &str, sides: &[i64]) -> Tensor {
    let count = sides.iter().product::<i64>();
    Tensor {
        name: name.to_owned(),
        sides: sides.to_vec(),
        data_type: 1,
        floats: (0..count).map(|k| k as f32 / 8.0).collect(),
        ..Tensor::default()
    }
}

fn node(operator: &str, name: &str, inputs: &[&str], attributes: Vec<Attribute>) -> Node {
    Node {
        operator: operator.to_owned(),
        name: name.to_owned(),
        inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
        outputs: vec![format!("{name}_y"), format!("{name}_h")],
        attributes,
        domain: String::new(),
    }
}

/// A graph of one node with two units and three inputs.
fn graph(operator: &str, attributes: Vec<Attribute>) -> Graph {
    let rows = match operator {
        "LSTM" => 8,
        "GRU" => 6,
        _ => 2,
    };
    Graph {
        nodes: vec![node(operator, "net", &["x", "w", "r", "b"], attributes)],
        initializers: vec![
            numbers("w", &[1, rows, 3]),
            numbers("r", &[1, rows, 2]),
            numbers("b", &[1, 2 * rows]),
        ],
    }
}

fn bytes(graph: Graph) -> Vec<u8> {
    // The version of the format stands first, as ONNX's own programs write it.
    let mut bytes = vec![0x08, 0x08];
    bytes.extend(Model { graph: Some(graph), functions: Vec::new() }.encode_to_vec());
    bytes
}

fn parse(graph: Graph) -> Result<crate::RecurrentNet, Error> {
    crate::RecurrentNet::read(&bytes(graph), &NetChoice::default())
}

fn refused(graph: Graph) -> String {
    match parse(graph) {
        Ok(net) => panic!("read as {net:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn gates_are_put_into_our_order() {
    let net = parse(graph("LSTM", vec![integer("hidden_size", 2)])).unwrap();
    assert_eq!((net.cell, net.assumed), (Cell::Lstm, false));
    // Rows i0 i1 o0 o1 f0 f1 c0 c1 of the file, as numbers k/8 row by row.
    let first: Vec<f64> = net.layers[0].input.column(0).iter().map(|v| v * 8.0 / 3.0).collect();
    assert_eq!(first, [0.0, 1.0, 4.0, 5.0, 6.0, 7.0, 2.0, 3.0]);
    let bias: Vec<f64> = net.layers[0].recurrent_bias.iter().map(|v| v * 8.0 - 8.0).collect();
    assert_eq!(bias, [0.0, 1.0, 4.0, 5.0, 6.0, 7.0, 2.0, 3.0]);
    let net = parse(graph("GRU", vec![integer("linear_before_reset", 1)])).unwrap();
    assert_eq!(net.cell, Cell::Gru(Reset::After));
    let first: Vec<f64> = net.layers[0].recurrent.column(0).iter().map(|v| v * 8.0 / 2.0).collect();
    assert_eq!(first, [2.0, 3.0, 0.0, 1.0, 4.0, 5.0]);
    assert_eq!(parse(graph("GRU", Vec::new())).unwrap().cell, Cell::Gru(Reset::Before));
    let relu = vec![texts("activations", &["Relu"]), integer("layout", 1), text("direction", "forward")];
    assert_eq!(parse(graph("RNN", relu)).unwrap().cell, Cell::Plain(Nonlinearity::Relu));
}

#[test]
fn what_a_node_says_beyond_what_is_computed_is_refused_by_name() {
    for (operator, attribute, word) in [
        ("LSTM", text("direction", "reverse"), "direction is reverse"),
        ("GRU", text("direction", "bidirectional"), "direction is bidirectional"),
        ("LSTM", texts("activations", &["Sigmoid", "Relu", "Tanh"]), "activations are Sigmoid, Relu, Tanh"),
        ("RNN", texts("activations", &["Affine"]), "activations are Affine"),
        ("GRU", texts("activations", &["HardSigmoid", "Tanh"]), "HardSigmoid"),
        (
            "LSTM",
            Attribute { name: "clip".to_owned(), float: 3.0, ..Attribute::default() },
            "clips its cells at 3",
        ),
        ("LSTM", integer("input_forget", 1), "coupled"),
        ("LSTM", integer("hidden_size", 5), "hidden_size is not 2"),
        ("GRU", integer("linear_before_reset", 2), "linear_before_reset = 2"),
        ("RNN", integer("layout", 7), "layout = 7"),
        ("RNN", integer("linear_before_reset", 1), "linear_before_reset = 1 is not understood"),
        ("LSTM", integer("anything", 1), "anything = 1 is not understood"),
    ] {
        let message = refused(graph(operator, vec![attribute]));
        assert!(
            message.starts_with(&format!("node net ({operator}): ")) && message.contains(word),
            "{message}"
        );
    }
    // A value of another kind stands in a field that would not be looked at, whether the file says its kind or not.
    for kind in [0, 1] {
        let float =
            |name: &str| Attribute { name: name.to_owned(), float: 1.0, kind, ..Attribute::default() };
        for (operator, name) in
            [("GRU", "linear_before_reset"), ("LSTM", "input_forget"), ("LSTM", "hidden_size")]
        {
            let message = refused(graph(operator, vec![float(name)]));
            assert!(message.contains(&format!("its attribute {name} is of another kind")), "{message}");
        }
    }
    for kind in [0, 3] {
        let relu = Attribute { kind, ..text("activations", "Relu") };
        assert!(refused(graph("RNN", vec![relu])).contains("its attribute activations is of another kind"));
    }
    let told = vec![Attribute { kind: 8, ..texts("activations", &["Relu"]) }];
    assert_eq!(parse(graph("RNN", told)).unwrap().cell, Cell::Plain(Nonlinearity::Relu));
    let twice = vec![integer("hidden_size", 2), integer("hidden_size", 2)];
    assert!(refused(graph("LSTM", twice)).contains("hidden_size is there twice"));
    let mut peepholes = graph("LSTM", Vec::new());
    peepholes.nodes[0].inputs.extend(["", "", "", "p"].map(str::to_owned));
    assert!(refused(peepholes).contains("peepholes"));
    let mut many = graph("GRU", Vec::new());
    many.nodes[0].inputs.extend(["", "", ""].map(str::to_owned));
    assert!(refused(many).contains("7 inputs"));
    for missing in ["W", "R"] {
        let mut graph = graph("GRU", Vec::new());
        graph.nodes[0].inputs[if missing == "W" { 1 } else { 2 }] = String::new();
        assert!(refused(graph).contains(&format!("no input {missing}")));
    }
    // What the map does not depend on: lengths and initial states.
    let mut started = graph("LSTM", vec![texts("activations", &[])]);
    started.nodes[0].inputs.extend(["lengths", "h", "c"].map(str::to_owned));
    assert_eq!(parse(started).unwrap().cell, Cell::Lstm);
    // And the contrary of what the caller says.
    let said = |operator: &str, choice: &NetChoice| {
        crate::RecurrentNet::read(&bytes(graph(operator, Vec::new())), choice).unwrap_err().to_string()
    };
    let relu = NetChoice { nonlinearity: Some(Nonlinearity::Relu), ..NetChoice::default() };
    assert!(said("RNN", &relu).contains("node net (RNN): it computes tanh"));
    let after = NetChoice { reset: Some(Reset::After), ..NetChoice::default() };
    assert!(said("GRU", &after).contains("node net (GRU): its reset gate acts before"));
}

#[test]
fn weights_are_read_in_every_way_they_are_stored() {
    let plain = parse(graph("GRU", Vec::new())).unwrap();
    let store = |kind: i32, change: &dyn Fn(&mut Tensor)| {
        let mut graph = graph("GRU", Vec::new());
        for tensor in &mut graph.initializers {
            tensor.data_type = kind;
            change(tensor);
        }
        parse(graph)
    };
    let raw = |bytes: fn(f32) -> Vec<u8>| {
        move |tensor: &mut Tensor| {
            tensor.raw = std::mem::take(&mut tensor.floats).into_iter().flat_map(bytes).collect();
        }
    };
    let field = |bits: fn(f32) -> i32| {
        move |tensor: &mut Tensor| {
            tensor.integers = std::mem::take(&mut tensor.floats).into_iter().map(bits).collect();
        }
    };
    // Multiples of 1/8 below 64 are exact in all types: in binary16 by their exponent and mantissa.
    fn half(value: f32) -> i32 {
        let bits = value.to_bits();
        if value == 0.0 { 0 } else { (((bits >> 23) as i32 - 112) << 10) | ((bits >> 13) & 1023) as i32 }
    }
    fn brain(value: f32) -> i32 {
        (value.to_bits() >> 16) as i32
    }
    for net in [
        store(1, &raw(|v| v.to_le_bytes().to_vec())),
        store(11, &raw(|v| f64::from(v).to_le_bytes().to_vec())),
        store(11, &|tensor: &mut Tensor| {
            tensor.doubles = std::mem::take(&mut tensor.floats).into_iter().map(f64::from).collect();
        }),
        store(10, &raw(|v| half(v).to_le_bytes()[..2].to_vec())),
        store(10, &field(half)),
        store(16, &raw(|v| brain(v).to_le_bytes()[..2].to_vec())),
        store(16, &field(brain)),
    ] {
        assert_eq!(net.unwrap().layers, plain.layers);
    }
    for (kind, change, word) in [
        (1, Box::new(|t: &mut Tensor| t.location = 1) as Box<dyn Fn(&mut Tensor)>, "external data"),
        (1, Box::new(|t: &mut Tensor| t.segment = Some(Segment::default())), "segments"),
        (7, Box::new(|_: &mut Tensor| ()), "tensor r is of type number 7"),
        (1, Box::new(|t: &mut Tensor| t.raw = vec![0; 48]), "twice"),
        (1, Box::new(|t: &mut Tensor| t.floats.truncate(11)), "its shape needs 12"),
        (1, Box::new(|t: &mut Tensor| (t.raw, t.floats) = (vec![0; 47], Vec::new())), "needs 48 bytes"),
        (1, Box::new(|t: &mut Tensor| t.floats[3] = f32::NAN), "NaN at position 3"),
        (1, Box::new(|t: &mut Tensor| t.floats[3] = 1e30), "entry 3 is 1"),
        (1, Box::new(|t: &mut Tensor| t.sides[0] = -1), "negative side"),
        (1, Box::new(|t: &mut Tensor| t.sides[0] = 2), "[2, 6, 2]"),
        (1, Box::new(|t: &mut Tensor| t.sides = vec![1, i64::MAX, 2]), "shape"),
        (
            10,
            Box::new(|t: &mut Tensor| (t.integers, t.floats) = (vec![-1; 12], Vec::new())),
            "beyond 16 bits",
        ),
    ] {
        let mut graph = graph("GRU", Vec::new());
        graph.initializers[1].data_type = kind;
        change(&mut graph.initializers[1]);
        let message = refused(graph);
        assert!(message.contains(word) && message.contains('r'), "{word}: {message}");
    }
}

#[test]
fn weights_come_from_initializers_constants_and_identities_alone() {
    let mut constant = graph("RNN", Vec::new());
    let stored = constant.initializers.remove(1);
    let value =
        Attribute { name: "value".to_owned(), tensor: Some(Box::new(stored)), ..Attribute::default() };
    let mut made = node("Constant", "made", &[], vec![value]);
    made.outputs = vec!["made_r".to_owned()];
    let mut same = node("Identity", "same", &["made_r"], Vec::new());
    same.outputs = vec!["r".to_owned()];
    constant.nodes.extend([made, same]);
    assert_eq!(parse(constant.clone()).unwrap().layers, parse(graph("RNN", Vec::new())).unwrap().layers);
    constant.nodes[1].attributes[0].tensor = None;
    assert!(refused(constant.clone()).contains("node made (Constant): its value is no tensor"));
    // Identities in a circle.
    constant.nodes[2].inputs = vec!["r".to_owned()];
    assert!(refused(constant.clone()).contains("r are not stored in the file"));
    constant.nodes[2].operator = "Concat".to_owned();
    assert!(refused(constant).contains("r are computed by node same (Concat)"));
    let mut twice = graph("RNN", Vec::new());
    twice.initializers.push(numbers("r", &[1, 2, 2]));
    assert!(refused(twice).contains("tensor r is described twice"));
    // Nor may a node make what is stored, or what another one makes.
    for value in ["r", "net_y"] {
        let mut made = graph("RNN", Vec::new());
        let mut again = node("Identity", "again", &["b"], Vec::new());
        again.outputs = vec![value.to_owned()];
        made.nodes.push(again);
        let message = refused(made);
        assert!(
            message.contains(&format!("tensor {value} is given by two nodes, or stored too")),
            "{message}"
        );
    }
    let mut gone = graph("RNN", Vec::new());
    gone.initializers.remove(2);
    assert!(refused(gone).contains("its weights b are not stored"));
}

/// A second LSTM node with one unit that reads the first through a node `between`.
fn two(between: &str) -> Graph {
    let mut graph = graph("LSTM", Vec::new());
    graph.initializers.extend([numbers("w2", &[1, 4, 2]), numbers("r2", &[1, 4, 1])]);
    let mut passed = node(between, "between", &["net_y"], Vec::new());
    passed.outputs = vec!["between_y".to_owned()];
    let upper = node("LSTM", "upper", &["between_y", "w2", "r2"], Vec::new());
    graph.nodes.extend([passed, upper]);
    graph
}

#[test]
fn stacked_nodes_are_layers_and_others_are_chosen_by_name() {
    let net = parse(two("Squeeze")).unwrap();
    assert_eq!(net.layers.iter().map(|layer| layer.recurrent.ncols()).collect::<Vec<_>>(), [2, 1]);
    // The axes of exporters: of time, direction and sample may change, that of features may not.
    for (operator, perm, shape, joined) in [
        ("Transpose", vec![0, 2, 1, 3], vec![], true),
        ("Transpose", vec![0, 2, 3, 1], vec![], false),
        ("Transpose", vec![], vec![], false),
        ("Reshape", vec![], vec![0, 0, -1], true),
        ("Reshape", vec![], vec![4, 1, 2], true),
        ("Reshape", vec![], vec![2, 1, 4], false),
        ("Reshape", vec![], vec![], false),
    ] {
        let mut graph = two(operator);
        let order = Attribute { name: "perm".to_owned(), integers: perm, ..Attribute::default() };
        graph.nodes[1].attributes = vec![order];
        graph.nodes[1].inputs.push("shape".to_owned());
        let raw = shape.iter().flat_map(|side: &i64| side.to_le_bytes()).collect();
        graph.initializers.push(Tensor { name: "shape".to_owned(), data_type: 7, raw, ..Tensor::default() });
        assert_eq!(parse(graph).is_ok(), joined, "{operator} {shape:?}");
    }
    let message = refused(two("Relu"));
    assert!(message.contains("several recurrent modules: choose one of \"net\", \"upper\""), "{message}");
    let choice = NetChoice { modules: vec!["upper".to_owned()], ..NetChoice::default() };
    let upper = crate::RecurrentNet::read(&bytes(two("Relu")), &choice).unwrap();
    assert_eq!(upper.layers[0].input.dim(), (4, 2));
    // Nor does a stack that is asked for pass over what stands between its layers, or turn them round.
    let asked = |graph: Graph, modules: [&str; 2]| {
        let choice = NetChoice { modules: modules.map(str::to_owned).to_vec(), ..NetChoice::default() };
        crate::RecurrentNet::read(&bytes(graph), &choice).map_err(|error| error.to_string())
    };
    assert_eq!(asked(two("Squeeze"), ["net", "upper"]).unwrap().layers.len(), 2);
    let message = asked(two("Relu"), ["net", "upper"]).unwrap_err();
    assert!(
        message.contains("node upper (LSTM): it does not read the states of node net (LSTM) but"),
        "{message}"
    );
    assert!(message.contains("node between (Relu)"), "{message}");
    let message = asked(two("Squeeze"), ["upper", "net"]).unwrap_err();
    assert!(
        message.contains("node net (LSTM): it does not read the states of node upper (LSTM)"),
        "{message}"
    );
    // The last state of one node that another reads is no stack; nor is a circle.
    let mut last = two("Identity");
    last.nodes[1].inputs = vec!["net_h".to_owned()];
    assert!(refused(last).contains("several recurrent modules"));
    let mut circle = two("Identity");
    circle.nodes[0].inputs[0] = "upper_y".to_owned();
    assert!(refused(circle).contains("several recurrent modules"));
    // Nodes of one name are told apart by their outputs, and nodes without any by these too.
    let mut same = two("Relu");
    same.nodes[2].name = "net".to_owned();
    assert!(refused(same.clone()).contains("\"net_y\", \"upper_y\""));
    same.nodes[0].name = String::new();
    assert!(refused(same).contains("\"net_y\", \"net\""));
}

#[test]
fn nodes_beyond_the_main_graph_are_refused_by_name() {
    let mut outer = node("Loop", "loop", &[], Vec::new());
    outer.attributes = vec![Attribute {
        name: "body".to_owned(),
        graph: Some(Box::new(graph("GRU", Vec::new()))),
        ..Attribute::default()
    }];
    let looped = Graph { nodes: vec![outer.clone()], initializers: Vec::new() };
    let message = refused(looped.clone());
    assert!(message.starts_with("node net: it is within node loop (Loop)"), "{message}");
    // Two levels down, beside a node of the main graph: it must be chosen, and only that one can be.
    let mut branch = node("If", "branch", &[], Vec::new());
    branch.attributes =
        vec![Attribute { name: "then".to_owned(), graphs: vec![looped], ..Attribute::default() }];
    let mut both = graph("RNN", Vec::new());
    both.nodes[0].name = "main".to_owned();
    both.nodes.push(branch);
    let message = refused(both.clone());
    assert!(message.contains("\"main\", \"net within node branch (If)\""), "{message}");
    let choice = |name: &str| NetChoice { modules: vec![name.to_owned()], ..NetChoice::default() };
    assert!(crate::RecurrentNet::read(&bytes(both.clone()), &choice("main")).is_ok());
    let message = crate::RecurrentNet::read(&bytes(both), &choice("net")).unwrap_err().to_string();
    assert!(message.contains("within node branch (If)"), "{message}");
    let function = Function { name: "cell".to_owned(), nodes: graph("LSTM", Vec::new()).nodes };
    let model = Model { graph: Some(Graph::default()), functions: vec![function] };
    let message = read(&model.encode_to_vec(), &NetChoice::default()).map(drop).unwrap_err().to_string();
    assert!(message.contains("node net: it is within function cell"), "{message}");
    let mut quantized = graph("LSTM", Vec::new());
    quantized.nodes[0].operator = "DynamicQuantizeLSTM".to_owned();
    quantized.nodes[0].domain = "com.microsoft".to_owned();
    assert!(refused(quantized).contains("node net (DynamicQuantizeLSTM): an operator of com.microsoft"));
    assert!(refused(Graph::default()).contains("no node LSTM, GRU or RNN"));
    let nothing = read(&Model::default().encode_to_vec(), &NetChoice::default()).map(drop);
    assert!(nothing.unwrap_err().to_string().contains("has no graph"));
}

#[test]
fn lengths_nesting_and_numbers_of_messages_are_bounded() {
    let broken = |bytes: &[u8]| {
        let message = crate::RecurrentNet::read(bytes, &NetChoice::default()).unwrap_err().to_string();
        assert!(message.starts_with("the ONNX file: "), "{message}");
        message
    };
    let whole = bytes(graph("LSTM", Vec::new()));
    for cut in 2..whole.len() {
        let _ = broken(&whole[..cut]);
    }
    // Lengths beyond the file, and beyond any address.
    for length in [
        [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0],
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    ] {
        broken(&[&[0x08, 0x08, 0x3a], length.as_slice()].concat());
    }
    // Graphs within nodes within graphs, a thousand levels of them.
    let mut deep = Graph::default();
    for _ in 0..1_000 {
        let attribute =
            Attribute { name: "body".to_owned(), graph: Some(Box::new(deep)), ..Attribute::default() };
        deep = Graph { nodes: vec![node("Loop", "loop", &[], vec![attribute])], initializers: Vec::new() };
    }
    assert!(broken(&bytes(deep)).contains("recursion"), "deep");
    // A million empty nodes of two bytes each.
    let nodes = [0x0a, 0x00].repeat(message::MOST_MESSAGES + 1);
    let mut crowded = vec![0x08, 0x08, 0x3a];
    prost::encode_length_delimiter(nodes.len(), &mut crowded).unwrap();
    crowded.extend(nodes);
    assert!(broken(&crowded).contains("messages"));
}

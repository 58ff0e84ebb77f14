//! Reads figures back.

use std::{collections::BTreeMap, fs, path::Path};

use roxmltree::{Document, Node};

/// An element of a figure, with what its group says it shows.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) class: String,
    /// The trait, empty where there is none.
    pub(crate) label: String,
    pub(crate) tag: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap_or_else(|_| panic!("{name} of {self:?}"))
    }

    /// Dots of a path: one `M` each.
    pub(crate) fn dots(&self) -> usize {
        self.get("d").matches('M').count()
    }

    pub(crate) fn points(&self) -> Vec<[f64; 2]> {
        let pair = |pair: &str| {
            let (x, y) = pair.split_once(',').unwrap();
            [x.parse().unwrap(), y.parse().unwrap()]
        };
        self.get("points").split_whitespace().map(pair).collect()
    }
}

/// A figure that was read back.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) elements: Vec<Element>,
}

impl Figure {
    pub(crate) fn read(folder: &Path, id: &str) -> Self {
        let text = fs::read_to_string(folder.join(format!("{id}.svg"))).unwrap();
        let document = Document::parse(&text).unwrap();
        let root = document.root_element();
        let child = |tag: &str| {
            let node = root.children().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", tag)));
            node.and_then(|node| node.text()).unwrap().to_owned()
        };
        let number = |name: &str| root.attribute(name).unwrap().parse().unwrap();
        let groups = root.children().filter(|node| node.tag_name().name() == "g");
        let elements = groups
            .flat_map(|group| {
                let children = group.children().filter(Node::is_element).map(move |node| (group, node));
                children.collect::<Vec<_>>()
            })
            .map(|(group, node)| Element {
                class: group.attribute("class").unwrap().to_owned(),
                label: group.attribute("data-trait").unwrap_or_default().to_owned(),
                tag: node.tag_name().name().to_owned(),
                attributes: node.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect(),
                text: node.text().unwrap_or_default().to_owned(),
            })
            .collect();
        Self {
            width: number("width"),
            height: number("height"),
            title: child("title"),
            description: child("desc"),
            elements,
        }
    }

    pub(crate) fn of<'a>(&'a self, class: &'a str, tag: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.class == class && element.tag == tag)
    }

    /// Elements of a class per trait.
    pub(crate) fn count(&self, class: &str, tag: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for element in self.of(class, tag) {
            *counts.entry(element.label.clone()).or_default() += 1;
        }
        counts
    }

    /// Dots of a class per trait.
    pub(crate) fn dots(&self, class: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for element in self.of(class, "path") {
            *counts.entry(element.label.clone()).or_default() += element.dots();
        }
        counts
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.elements.iter().filter(|e| e.tag == "text").map(|e| e.text.as_str()).collect()
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.texts().iter().any(|found| found.contains(text))
    }
}

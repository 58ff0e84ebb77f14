//! Binary trees.

/// A split, or a leaf if it has no children.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Node<T> {
    /// The value of a leaf.
    pub(crate) value: f64,
    /// Rows up to and with the cut go left.
    pub(crate) cut: T,
    pub(crate) feature: u32,
    /// The left child, before the right one; 0 for a leaf.
    pub(crate) left: u32,
}

/// Nodes, the root first; `T` is a code of a bin or a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree<T> {
    pub(crate) nodes: Vec<Node<T>>,
}

impl<T: Copy + PartialOrd + Default> Tree<T> {
    /// A root that is a leaf.
    pub(crate) fn leaf() -> Self {
        let node = Node { value: 0.0, cut: T::default(), feature: 0, left: 0 };
        Self { nodes: vec![node] }
    }

    /// Gives a leaf two children, and returns the left one.
    pub(crate) fn split(&mut self, leaf: usize, feature: u32, cut: T) -> usize {
        let left = self.nodes.len();
        self.nodes[leaf] = Node { value: 0.0, cut, feature, left: left as u32 };
        self.nodes.extend([Node { value: 0.0, cut: T::default(), feature: 0, left: 0 }; 2]);
        left
    }

    /// The value of the leaf of a row whose features are given.
    pub(crate) fn value(&self, feature: impl Fn(usize) -> T) -> f64 {
        let mut node = &self.nodes[0];
        while node.left != 0 {
            let right = feature(node.feature as usize) > node.cut;
            node = &self.nodes[node.left as usize + usize::from(right)];
        }
        node.value
    }

    /// The same tree with other cuts.
    pub(crate) fn map<U>(&self, cut: impl Fn(usize, T) -> U) -> Tree<U>
    where
        U: Default,
    {
        let node = |node: &Node<T>| Node {
            value: node.value,
            cut: if node.left == 0 { U::default() } else { cut(node.feature as usize, node.cut) },
            feature: node.feature,
            left: node.left,
        };
        Tree { nodes: self.nodes.iter().map(node).collect() }
    }
}

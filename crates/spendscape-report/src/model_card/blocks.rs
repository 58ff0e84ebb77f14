//! A document of headings, paragraphs and tables, written as Markdown or as a page.

use crate::{
    draw::svg::escape,
    page::{STYLE, html},
};

/// A piece of the document; all text is plain.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// Starts a section: its identifier and its title.
    Heading(&'static str, &'static str),
    Paragraph(String),
    /// What a reader must not miss.
    Warning(String),
    List(Vec<String>),
    /// Caption, headings, rows; all columns but the first hold numbers if asked for.
    Table {
        caption: &'static str,
        headings: Vec<&'static str>,
        rows: Vec<Vec<String>>,
        numbers: bool,
    },
}

/// The document as Markdown.
pub(super) fn markdown(title: &str, blocks: &[Block]) -> String {
    // A cell or a line must not end its table or start a list.
    let plain =
        |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('\n', " ");
    let mut out = format!("# {title}\n");
    for block in blocks {
        out.push('\n');
        match block {
            Block::Heading(_, title) => out.push_str(&format!("## {title}\n")),
            Block::Paragraph(text) => out.push_str(&format!("{}\n", plain(text))),
            Block::Warning(text) => out.push_str(&format!("> **Warning.** {}\n", plain(text))),
            Block::List(items) => {
                for item in items {
                    out.push_str(&format!("- {}\n", plain(item)));
                }
            }
            Block::Table { caption, headings, rows, numbers } => {
                let rule: Vec<&str> =
                    (0..headings.len()).map(|k| if *numbers && k > 0 { "---:" } else { "---" }).collect();
                out.push_str(&format!("{caption}:\n\n| {} |\n|{}|\n", headings.join(" | "), rule.join("|")));
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
                    out.push_str(&format!("| {} |\n", cells.join(" | ")));
                }
            }
        }
    }
    out
}

/// The document as a page that loads nothing.
pub(super) fn page(title: &str, blocks: &[Block]) -> String {
    let mut contents = Vec::new();
    let mut body = String::new();
    let mut sections = blocks.iter().peekable();
    while let Some(block) = sections.next() {
        let Block::Heading(id, name) = block else {
            body.push_str(&content(block));
            continue;
        };
        let mut inside = String::new();
        while let Some(block) = sections.next_if(|block| !matches!(block, Block::Heading(..))) {
            inside.push_str(&content(block));
        }
        contents.push((*id, *name));
        body.push_str(&html::section(id, name, &inside));
    }
    html::document(title, STYLE, "", &contents, &body)
}

fn content(block: &Block) -> String {
    match block {
        Block::Heading(..) => String::new(),
        Block::Paragraph(text) => format!("<p>{}</p>\n", marked(text)),
        Block::Warning(text) => html::warning(&marked(text)),
        Block::List(items) => {
            let items: String = items.iter().map(|item| format!("<li>{}</li>\n", marked(item))).collect();
            format!("<ul>\n{items}</ul>\n")
        }
        Block::Table { caption, headings, rows, numbers } => {
            let headings: Vec<html::Heading> =
                headings.iter().enumerate().map(|(k, name)| (*name, *numbers && k > 0)).collect();
            let rows: Vec<Vec<String>> =
                rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
            html::table(caption, &headings, &rows)
        }
    }
}

/// Text as HTML; what stands between backticks is code, as it is in Markdown.
fn marked(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('`').peekable();
    let mut code = false;
    while let Some(part) = parts.next() {
        // A backtick without a partner stays one.
        match (code, parts.peek().is_some()) {
            (true, true) => out.push_str(&format!("<code>{}</code>", escape(part))),
            (true, false) => out.push_str(&format!("`{}", escape(part))),
            (false, _) => out.push_str(&escape(part)),
        }
        code = !code;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_in_both_forms() {
        assert_eq!(marked("run `a < b` or `c`"), "run <code>a &lt; b</code> or <code>c</code>");
        assert_eq!(marked("5` wide"), "5` wide");
        let blocks = [Block::Heading("one", "One"), Block::Warning("mind `this`".to_owned())];
        assert!(markdown("T", &blocks).contains("> **Warning.** mind `this`\n"));
        assert!(page("T", &blocks).contains("mind <code>this</code></p>"));
    }

    #[test]
    fn both_forms_hold_the_same_and_escape_what_would_break_them() {
        let blocks = [
            Block::Heading("one", "One"),
            Block::Paragraph("a < b".to_owned()),
            Block::Table {
                caption: "Numbers",
                headings: vec!["name", "value"],
                rows: vec![vec!["x|y".to_owned(), "1".to_owned()]],
                numbers: true,
            },
        ];
        let text = markdown("T", &blocks);
        assert_eq!(
            text,
            "# T\n\n## One\n\na &lt; b\n\nNumbers:\n\n| name | value |\n|---|---:|\n| x\\|y | 1 |\n"
        );
        let page = page("T", &blocks);
        assert!(page.contains("<p>a &lt; b</p>") && page.contains("<td>x|y</td><td class=\"number\">1</td>"));
        assert!(page.contains("href=\"#one\"") && !page.contains("<script"));
    }
}

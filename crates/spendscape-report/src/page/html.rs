//! Pieces of HTML.

use crate::draw::svg::escape;

/// A whole page.
pub(crate) fn document(
    title: &str,
    style: &str,
    script: &str,
    contents: &[(&str, &str)],
    body: &str,
) -> String {
    let title = escape(title);
    let items: String = contents
        .iter()
        .map(|(id, name)| format!("<li><a href=\"#{id}\">{}</a></li>\n", escape(name)))
        .collect();
    // A page without a script has no element for it.
    let script = if script.is_empty() { String::new() } else { format!("<script>\n{script}</script>\n") };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{style}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
         <nav aria-label=\"Contents\"><ul>\n{items}</ul></nav>\n</header>\n<main>\n{body}</main>\n\
         {script}</body>\n</html>\n"
    )
}

/// A section with a heading.
pub(crate) fn section(id: &str, title: &str, content: &str) -> String {
    format!(
        "<section aria-labelledby=\"{id}-heading\" id=\"{id}\">\n<h2 id=\"{id}-heading\">{}</h2>\n{content}</section>\n",
        escape(title)
    )
}

/// What a reader must not miss; the text is HTML.
pub(crate) fn warning(text: &str) -> String {
    format!("<p class=\"warning\" role=\"note\"><strong>Warning.</strong> {text}</p>\n")
}

/// A column of a table: its name, and whether it holds numbers.
pub(crate) type Heading = (&'static str, bool);

/// A table; the cells are HTML.
pub(crate) fn table(caption: &str, headings: &[Heading], rows: &[Vec<String>]) -> String {
    let class = |number: bool| if number { " class=\"number\"" } else { "" };
    let head: String = headings
        .iter()
        .map(|(name, number)| format!("<th scope=\"col\"{}>{}</th>", class(*number), escape(name)))
        .collect();
    let body: String = rows
        .iter()
        .map(|row| {
            let cells: String = row
                .iter()
                .zip(headings)
                .map(|(cell, (_, number))| format!("<td{}>{cell}</td>", class(*number)))
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    format!(
        "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n\
         </table></div>\n",
        escape(caption)
    )
}

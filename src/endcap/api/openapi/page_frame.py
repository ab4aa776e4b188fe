"""
What the page for people looks like: its style, and the frame that its text is put in.
"""

STYLE = """
:root {
  color-scheme: light dark;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
  --paper: #ffffff; --raised: #f6f7f9; --ink: #1c2330; --quiet: #5a6475; --line: #dfe3ea;
  --link: #0b5cad; --code: #f1f3f7; --get: #0b5cad; --post: #1a7340; --put: #8a5300; --patch: #6b3fa0;
  --delete: #b3261e; --options: #5a6475; --key: #0b5cad; --text: #1a7340; --plain: #8a5300;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161d; --raised: #1a2029; --ink: #e4e8ef; --quiet: #9aa5b5; --line: #2b3441;
    --link: #7ab7ff; --code: #1e2530; --get: #7ab7ff; --post: #6fce93; --put: #e8b35c; --patch: #c3a3f5;
    --delete: #ff8f86; --options: #9aa5b5; --key: #7ab7ff; --text: #6fce93; --plain: #e8b35c;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
a { color: var(--link); text-underline-offset: 0.15em; }
:is(a, summary, pre):focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: 0.5rem; z-index: 1; }
.frame { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav { font-size: 0.875rem; line-height: 1.4; }
nav.wide {
  position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto;
  padding: 2rem 1rem 2rem 1.5rem; border-right: 1px solid var(--line);
}
nav.narrow { display: none; }
nav p, nav summary { margin: 1.25rem 0 0.25rem; font-weight: 600; color: var(--quiet); }
nav p:first-child { margin-top: 0; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a {
  display: flex; gap: 0.5rem; align-items: baseline; padding: 0.2rem 0; color: inherit; text-decoration: none;
}
nav a:hover { color: var(--link); text-decoration: underline; }
nav .method { font-size: 0.6875rem; width: 3.9rem; flex: none; padding: 0.1rem 0; }
main { padding: 2rem 3rem 6rem; min-width: 0; max-width: 62rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; }
h1 small { font-size: 0.875rem; font-weight: 400; color: var(--quiet); white-space: nowrap; }
.summary { margin: 0.5rem 0 2rem; color: var(--quiet); font-size: 1.125rem; }
h2 { font-size: 1.5rem; line-height: 1.25; margin: 3rem 0 0.75rem; }
h3 { font-size: 1.1875rem; line-height: 1.3; margin: 0 0 0.5rem; }
h4 { font-size: 0.9375rem; margin: 1.5rem 0 0.5rem; }
p, ul, dl, pre { margin: 0.5rem 0; }
.anchor { color: var(--quiet); text-decoration: none; font-weight: 400; opacity: 0; }
:is(h2, h3):hover .anchor, .anchor:focus { opacity: 1; }
code, pre { font: 0.875em/1.55 var(--mono); }
:not(pre) > code { background: var(--code); padding: 0.1em 0.3em; border-radius: 4px; }
pre {
  background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem;
  overflow: auto; max-height: 34rem;
}
pre code { font-size: 0.8125rem; }
.operation, .shape { border: 1px solid var(--line); border-radius: 8px; padding: 1.25rem 1.5rem; margin: 1.25rem 0; }
:target { border-color: var(--link); }
.path { margin: 0; }
.path code { background: none; padding: 0; font-size: 0.9375rem; }
.access { margin: 0 0 0.75rem; font-size: 0.875rem; color: var(--quiet); }
.method { display: inline-block; font: 700 0.75rem/1.5 var(--mono); }
.path .method { border: 1px solid currentColor; border-radius: 4px; padding: 0 0.4rem; margin-right: 0.25rem; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); }
.patch { color: var(--patch); } .delete { color: var(--delete); } .options { color: var(--options); }
.fields { border-top: 1px solid var(--line); }
.fields dt { padding-top: 0.5rem; }
.fields dt span { color: var(--quiet); font-size: 0.875rem; margin-left: 0.25rem; }
.fields dt em { color: var(--delete); font-style: normal; font-size: 0.8125rem; margin-left: 0.25rem; }
.fields dd { margin: 0; padding: 0.125rem 0 0.5rem; border-bottom: 1px solid var(--line); font-size: 0.9375rem; }
.fields dd:empty { padding: 0 0 0.25rem; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
main details:not(.answer) > summary { font-size: 0.875rem; color: var(--quiet); }
.answer { margin: 0; padding: 0.375rem 0; border-top: 1px solid var(--line); font-size: 0.9375rem; }
p.answer { padding-left: 1.0625rem; }
.status { font: 700 0.875rem/1.5 var(--mono); margin-right: 0.375rem; }
.s2 { color: var(--post); } .s3 { color: var(--options); } .s4 { color: var(--put); } .s5 { color: var(--delete); }
.j-key { color: var(--key); } .j-text { color: var(--text); } .j-plain { color: var(--plain); }
@media (max-width: 60rem) {
  .frame { display: block; }
  nav.wide { display: none; }
  nav.narrow { display: block; padding: 0 1rem; border-bottom: 1px solid var(--line); background: var(--raised); }
  nav.narrow > details > summary { margin: 0; padding: 0.75rem 0; font-size: 1rem; color: var(--ink); }
  nav.narrow > details { margin: 0; }
  nav.narrow > details[open] { padding-bottom: 1rem; }
  nav a { padding: 0.4rem 0; }
  main { padding: 1.5rem 1rem 4rem; }
  .operation, .shape { padding: 1rem; margin-left: -0.25rem; margin-right: -0.25rem; }
  h1 { font-size: 1.625rem; }
  .anchor { opacity: 1; }
}
@media print {
  nav.wide, nav.narrow, .anchor { display: none; }
  .frame { display: block; }
  pre { white-space: pre-wrap; max-height: none; }
}
"""

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<nav class="narrow" aria-label="Contents"><details><summary>Contents</summary>
{contents}
</details></nav>
<div class="frame">
<nav class="wide" aria-label="Contents">
{contents}
</nav>
<main id="main">
<h1>{title} <small>version {version}</small></h1>
<p class="summary">{summary} As a document for machines: <a href="openapi.json">openapi.json</a>.</p>
{introduction}
{operations}
<h2 id="shared-answers">Shared answers{shared_anchor}</h2>
<p>What every signed operation may answer.</p>
<section class="shape">
{shared}
</section>
<h2 id="shapes">Shapes{shapes_anchor}</h2>
{shapes}
</main>
</div>
</body>
</html>
"""

"""The look of the report: one style sheet for light and dark, with nothing fetched from anywhere."""

STYLE = """
:root { color-scheme: light dark;
  --ground: #f6f6f9; --card: #fff; --ink: #17181c; --dim: #62656f; --line: #e4e5ea; --track: #f0f0f4;
  --accent: #6d5ef0; --accent-soft: #6d5ef01f; --wave: #b9bcc8; --good: #14804a; --good-soft: #14804a18;
  --warn: #a15c00; --warn-soft: #f5a52422; --bad: #c02626; --bad-soft: #dc262618; --music: #1f9fb5; --ad: #e5484d;
  --spoiler: #e08600; --s0: #5b8def; --s1: #e07a9e; --s2: #3fae7c; --s3: #b98a2e; --s4: #9b6fd3; --s5: #7c8794;
  --t0: #dfe3f3; --t1: #ecedf6; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #101114; --card: #191b20; --ink: #eceef3; --dim: #9a9eab; --line: #2b2e36; --track: #22252c;
  --accent: #9b8cff; --accent-soft: #9b8cff26; --wave: #4b505c; --good: #4cc38a; --good-soft: #4cc38a1f;
  --warn: #f5b041; --warn-soft: #f5b0411f; --bad: #ff7b7b; --bad-soft: #ff6b6b1f; --music: #3cc0d6; --ad: #ff6369;
  --spoiler: #ffb224; --s0: #79a5ff; --s1: #f09ab8; --s2: #5ccb98; --s3: #d6ac55; --s4: #b892ee; --s5: #98a3b1;
  --t0: #343949; --t1: #2a2e3a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 4px; }
h2 { font-size: 19px; line-height: 1.3; letter-spacing: -.01em; margin: 0; }
h3 { font-size: 12px; letter-spacing: .06em; text-transform: uppercase; color: var(--dim); margin: 0 0 10px;
  font-weight: 600; }
a { color: inherit; text-decoration-color: var(--accent); text-underline-offset: 3px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
.dim { color: var(--dim); } .small { font-size: 13px; } .number { font-variant-numeric: tabular-nums; }
code { font: 12.5px/1.4 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 22px 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.tile { padding: 14px 16px; } .tile b { display: block; font-size: 24px; line-height: 1.2; letter-spacing: -.02em; }
.card { padding: 22px 24px; margin-top: 18px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; color: var(--dim); font-size: 12px; font-weight: 600; padding: 0 12px 8px 0;
  white-space: nowrap; }
td { padding: 9px 12px 9px 0; border-top: 1px solid var(--line); vertical-align: top; }
td.right, th.right { text-align: right; white-space: nowrap; } td:last-child, th:last-child { padding-right: 0; }
.head { display: flex; justify-content: space-between; gap: 16px; align-items: flex-start; }
.chip { display: inline-block; padding: 2px 10px; border-radius: 99px; font-size: 12.5px; font-weight: 600;
  white-space: nowrap; }
.published { color: var(--good); background: var(--good-soft); }
.refused { color: var(--warn); background: var(--warn-soft); }
.quarantined { color: var(--bad); background: var(--bad-soft); }
.reason { margin: 16px 0 0; padding: 12px 16px; border-radius: 10px; }
.player { display: flex; flex-wrap: wrap; gap: 10px 22px; align-items: center; margin-top: 16px; }
.player audio { flex: 1 1 320px; height: 40px; }
.player video { flex: 1 1 420px; max-width: 640px; max-height: 60vh; border-radius: 10px; background: #000; }
.fact b { font-weight: 600; }
blockquote { margin: 18px 0 0; padding: 2px 0 2px 16px; border-left: 3px solid var(--accent); font-size: 16px;
  line-height: 1.55; }
blockquote .dim { font-size: 14px; }
.timeline { display: block; width: 100%; min-width: 720px; height: auto; margin-top: 20px; font-size: 10px; }
.timeline text { fill: var(--dim); } .timeline .lane { font-size: 11px; } .timeline .time { text-anchor: middle; }
.timeline .topic-name { fill: var(--ink); pointer-events: none; }
.track { fill: var(--track); } .tick { stroke: var(--line); }
.wave { stroke: var(--wave); stroke-width: 2.2; stroke-linecap: round; fill: none; }
.wave.picked { stroke: var(--accent); }
.pick { fill: var(--accent-soft); stroke: var(--accent); stroke-width: 1; pointer-events: none; }
.shot0 { fill: var(--wave); } .shot1 { fill: var(--s5); }
.music { fill: var(--music); } .ad { fill: var(--ad); } .spoiler { fill: var(--spoiler); } .marker { fill: var(--s4); }
.s0 { fill: var(--s0); } .s1 { fill: var(--s1); } .s2 { fill: var(--s2); } .s3 { fill: var(--s3); }
.s4 { fill: var(--s4); } .s5 { fill: var(--s5); } .t0 { fill: var(--t0); } .t1 { fill: var(--t1); }
.candidate { fill: var(--dim); opacity: .55; } .candidate.chosen { fill: var(--accent); opacity: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-top: 10px; font-size: 12.5px; color: var(--dim); }
.legend svg { width: 10px; height: 10px; margin-right: 6px; vertical-align: -1px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(380px, 100%), 1fr)); gap: 26px 44px;
  margin-top: 26px; }
.columns > div { display: flex; flex-direction: column; gap: 26px; }
.bars { display: grid; grid-template-columns: fit-content(46%) 1fr max-content; gap: 7px 12px; font-size: 13.5px;
  align-items: center; }
.bar { position: relative; height: 10px; align-self: center; border-radius: 5px; background: var(--track); }
.bar i { position: absolute; top: 0; bottom: 0; border-radius: 5px; background: var(--accent); }
.bar i.minus { background: var(--wave); }
ol.runners { margin: 0; padding-left: 20px; font-size: 13.5px; } ol.runners li { margin-bottom: 8px; }
details > summary { cursor: pointer; font-size: 13.5px; color: var(--dim); margin-top: 14px; }
.provenance { margin: 20px 0 0; padding-top: 14px; border-top: 1px solid var(--line); font-size: 12.5px;
  color: var(--dim); }
.lead { margin: 6px 0 0; max-width: 92ch; color: var(--dim); } .lead + * { margin-top: 22px; }
.absent { background: none; border-style: dashed; } .absent p { margin: 4px 0 0; }
.verdict { font-size: 20px; line-height: 1.4; letter-spacing: -.01em; margin: 12px 0 18px; max-width: 72ch; }
.warnings { margin: 12px 0 0; padding-left: 20px; } .warnings li { margin: 4px 0; }
p + .block, .columns + .scroll, .block + .block, .block + .scroll, .scroll + .block { margin-top: 28px; }
.chart { display: grid; grid-template-columns: fit-content(44%) minmax(90px, 1fr) max-content; gap: 3px 12px;
  font-size: 13.5px; align-items: center; }
.chart .row { display: contents; } .chart .name { overflow-wrap: anywhere; line-height: 1.35; }
.chart .number { white-space: nowrap; }
.chart .number .span { font-size: 12px; } .chart svg, .gain, .shares, .lines { display: block; overflow: visible; }
.value.ours { fill: var(--accent); } .value.theirs { fill: var(--music); } .value.rest { fill: var(--wave); }
.value.ceiling { fill: var(--good-soft); stroke: var(--good); stroke-dasharray: 3 2; }
.value.more { fill: var(--accent); } .value.less { fill: var(--spoiler); } .value.mixed { fill: var(--wave); }
.whisker { stroke: var(--ink); stroke-width: 1.4; } .zero { stroke: var(--dim); }
.gain .span { fill: var(--wave); } .gain.good .span { fill: var(--good); } .gain.bad .span { fill: var(--bad); }
.gain circle { fill: var(--card); stroke: var(--ink); stroke-width: 2; }
.ends { display: flex; justify-content: space-between; } .shares rect { stroke: var(--card); }
.lines text { fill: var(--dim); font-size: 11.5px; } .lines .across { text-anchor: middle; }
.lines text.level { text-anchor: end; fill: var(--ink); }
.lines polyline { fill: none; stroke-width: 2.2; vector-effect: non-scaling-stroke; stroke: var(--accent); }
.lines polyline.level { stroke: var(--s5); stroke-dasharray: 6 5; }
.band { fill: var(--accent-soft); } .band.level { fill: var(--s5); opacity: .12; }
circle.line { fill: var(--card); stroke: var(--accent); stroke-width: 2; }
.worst { border-top: 1px solid var(--line); padding-top: 18px; margin-top: 18px; } .worst .columns { margin-top: 14px; }
.lead + .worst { border: 0; padding: 0; } .worst p { margin: 0 0 8px; } .worst audio { width: 100%; height: 36px; }
.strip { display: block; margin-top: 10px; } .golden { fill: var(--good); opacity: .75; }
.mark { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px;
  background: var(--good); }
.mark.ours { background: var(--accent); } .quote { border-left: 2px solid var(--line); padding-left: 12px; }
.slices .plot { width: 32%; min-width: 140px; }
.slices td { vertical-align: middle; padding: 5px 12px 5px 0; white-space: nowrap; }
.slices td:first-child { white-space: normal; min-width: 110px; }
.slices .trait th { padding: 18px 0 6px; color: var(--ink); text-transform: capitalize; }
table.figures { font-size: 13px; } .figures th, .figures td { padding: 7px 9px 7px 0; }
.figures th { white-space: normal; vertical-align: bottom; line-height: 1.25; }
.figures .groups th { padding-bottom: 2px; color: var(--ink); }
.figures th.edge, .figures td.edge, .figures .groups th + th { padding-left: 16px; }
.figures td:first-child { padding-left: 10px; min-width: 130px; }
.figures tr.ours td:first-child { box-shadow: inset 3px 0 var(--accent); }
.figures tr.theirs td:first-child { box-shadow: inset 3px 0 var(--music); }
.figures tr.ceiling td { border-top: 2px solid var(--line); color: var(--good); }
@media (max-width: 640px) { .card { padding: 18px 16px; } .head { flex-direction: column; gap: 8px; } }
@media (max-width: 560px) { .chart { display: block; } .chart .name { grid-area: name; }
  .chart .row { display: grid; grid-template: "name number" "plot plot" / 1fr max-content; gap: 0 12px; }
  .chart svg { grid-area: plot; margin-bottom: 6px; } .chart .number { grid-area: number; } }
@media print { body { background: #fff; } .card { break-inside: avoid; } audio, video { display: none; } }
"""

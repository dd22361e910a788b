/** What stands at `/`: for a terminal and for a browser. */
export function welcome(version: string): {
  text: string;
  html: (scheme: 'http' | 'https', host: string) => string;
} {
  return { text: TEXT, html: (scheme, host) => page(version, scheme, host) };
}

const TEXT = `Welcome to oneShotMetricsServer: each event reaches each scraper exactly once.

  POST /event?label=value   post an event
  GET  /metrics             scrape the events that are new to you (?peek=true only looks)
  GET  /api/v1/scrapers     list who scrapes, and how far each scraper is
  GET  /openapi.json        get the API description, for programs
  GET  /docs                read how to push, scrape and operate
  GET  /healthz             check that the server is up; also /-/healthy and /-/ready
`;

/** What may stand in the page as a host: a name or an address, and a port. It is the client's own word. */
const HOST = /^[\w.:[\]-]{1,255}$/;
const DEFAULT_HOST = 'localhost:8090';

function page(version: string, scheme: 'http' | 'https', host: string): string {
  const example = `curl -X POST '${scheme}://${HOST.test(host) ? host : DEFAULT_HOST}/event?type=deploy&amp;service=api'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>oneShotMetricsServer</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --line: #8884; --accent: light-dark(#b3400f, #ff9a66); }
  body { margin: 0 auto; max-width: 42rem; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
  p { margin: .5rem 0 1.5rem; }
  ul { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
  li { display: grid; grid-template-columns: minmax(10rem, auto) 1fr; gap: 0 1rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  a { color: var(--accent); }
  pre { overflow-x: auto; padding: .8rem; border: 1px solid var(--line); border-radius: .4rem; }
  footer { margin-top: 2rem; font-size: .85rem; opacity: .75; }
  @media (max-width: 30rem) { li { grid-template-columns: 1fr; } }
</style>
</head>
<body>
<h1>oneShotMetricsServer</h1>
<p>Accepts events, and delivers each one exactly once to each scraper.</p>
<ul>
  <li><a href="/metrics?peek=true">/metrics?peek=true</a> <span>what a scrape from here would get, without consuming it</span></li>
  <li><code>/metrics</code> <span>a scrape: makes this address a scraper, and consumes its events</span></li>
  <li><a href="/healthz">/healthz</a> <span>whether the server is up</span></li>
  <li><a href="/-/ready">/-/ready</a> <span>whether it accepts requests</span></li>
  <li><a href="/api/v1/scrapers">/api/v1/scrapers</a> <span>who scrapes, and how far each scraper is</span></li>
  <li><a href="/openapi.json">/openapi.json</a> <span>all endpoints, for programs</span></li>
  <li><a href="/docs">/docs</a> <span>how to push, scrape and operate</span></li>
</ul>
<h2>Try it</h2>
<pre><code>${example}</code></pre>
<footer>Version ${version}</footer>
</body>
</html>
`;
}

/** The panel's own look, light or dark like the page. */

export const PANEL_STYLES = `
:host {
  display: block;
  color-scheme: light dark;
  padding: 1rem;
  border: 1px solid light-dark(#d8d8d2, #35383d);
  border-radius: 12px;
  background: light-dark(#fff, #191b1f);
  color: light-dark(#1f2421, #e4e4e0);
  font: 13px/1.5 system-ui, sans-serif;
}
section + section { margin-top: 1rem; }
h2 { margin: 0 0 0.25rem; font-size: 13px; font-weight: 600; }
p { margin: 0; color: light-dark(#5a615c, #a5aaa5); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.2rem 0.75rem 0.2rem 0; text-align: start; vertical-align: top; }
th { color: light-dark(#5a615c, #a5aaa5); font-weight: 500; }
td { border-top: 1px solid light-dark(#ecece7, #2a2d32); font-family: ui-monospace, monospace; }
td:last-child { min-width: 9rem; overflow-wrap: anywhere; }
td button { padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: start; text-decoration: underline; cursor: pointer; }
form { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: baseline; }
input, form button { padding: 0.2rem 0.5rem; border: 1px solid light-dark(#8b918c, #767b78); border-radius: 6px; background: transparent; color: inherit; font: inherit; }
form button { cursor: pointer; }
ul { margin: 0.5rem 0; padding-inline-start: 1.25rem; }
:focus-visible { outline: 2px solid light-dark(#35594a, #94cbb0); outline-offset: 1px; }
`;

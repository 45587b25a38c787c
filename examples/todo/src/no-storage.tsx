/** What is shown where the browser keeps nothing: with all site data blocked, or in a sandboxed frame. */

/** Whether the browser keeps anything for this page: the mere question throws where it does not. */
export function hasStorage(): boolean {
  try {
    return Boolean(localStorage);
  } catch {
    return false;
  }
}

export function NoStorage() {
  return (
    <main className="panes">
      <p role="alert">
        This browser does not let the page store anything, so tasks cannot be kept here. Allow site data (cookies) for
        it, then reload.
      </p>
    </main>
  );
}

/** What there is to see, for who has just opened the app. */
export function TryIt({ hasSecond }: { readonly hasSecond: boolean }) {
  return (
    <details className="try">
      <summary>Things to try</summary>
      <ol>
        <li>
          <b>Work offline.</b> Switch a device offline, add and tick off tasks, reload the page: all is still there.
          Switch it back online.
        </li>
        <li>
          <b>Meet a conflict.</b> {hasSecond ? '' : 'Open the second device. '}Switch both offline, rename the same task
          on each, and bring them back one after the other. The second one asks you.
        </li>
        <li>
          <b>Change different things.</b> Rename a task on one device and tick it off on the other, both offline: no
          conflict.
        </li>
        <li>
          <b>Be refused.</b> Add a task with more than 60 characters. The server says no, and nothing is lost.
        </li>
        <li>
          <b>Stop the server.</b> Press Ctrl+C where you started it, and reload: the app starts without it.
        </li>
      </ol>
    </details>
  );
}

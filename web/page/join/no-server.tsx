/** Where sessions with other devices are, on a host of plain files: at `server`, if one is named. `fragment` is that of the address: an invitation, perhaps. */
export function NoServer({ server, fragment }: { server: string | null; fragment: string }) {
  if (server !== null)
    return (
      <section class="no-server" aria-labelledby="no-server-title">
        <h2 id="no-server-title">With other devices</h2>
        <p>
          Sessions with other devices are at <a href={`${server}/${fragment}`}>{new URL(server).host}</a>.
        </p>
      </section>
    );
  return (
    <section class="no-server" aria-labelledby="no-server-title">
      <h2 id="no-server-title">With other devices</h2>
      <p>
        This page came without a Tabloom server, which devices need to find each other. <code>npm start</code> runs one
        on your computer.
      </p>
      <p class="field-hint">
        If this host is yours, name a server in a file <code>config.json</code> beside the page:{' '}
        <code>{'{"server": "https://example.org"}'}</code>
      </p>
    </section>
  );
}

import type { Rooms } from '../server-facts.ts';

/** Where sessions with other devices would be, on a host of plain files. `fragment` is that of the address: an invitation, perhaps. */
export function NoServer({ rooms, fragment }: { rooms: Rooms; fragment: string }) {
  if (rooms.kind === 'elsewhere')
    return (
      <section class="no-server" aria-labelledby="no-server-title">
        <h2 id="no-server-title">With other devices</h2>
        <p>
          Sessions with other devices are at <a href={`${rooms.server}/${fragment}`}>{new URL(rooms.server).host}</a>.
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

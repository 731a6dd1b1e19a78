import * as say from '../../words/join/join.ts';
/** Where sessions with other devices are, on a host of plain files: at `server`, if one is named. `fragment` is that of the address: an invitation, perhaps. */
export function NoServer({ server, fragment }: { server: string | null; fragment: string }) {
  if (server !== null)
    return (
      <section class="no-server" aria-labelledby="no-server-title">
        <h2 id="no-server-title">{say.withOtherDevices}</h2>
        <p>
          {say.sessionsWithOtherDevices} <a href={`${server}/${fragment}`}>{new URL(server).host}</a>.
        </p>
      </section>
    );
  return (
    <section class="no-server" aria-labelledby="no-server-title">
      <h2 id="no-server-title">{say.withOtherDevices}</h2>
      <p>
        {say.thisPageCameWithout} <code>npm start</code> {say.runsOneOnYourComputer}
      </p>
      <p class="field-hint">
        {say.ifThisHostIsYours} <code>config.json</code> {say.besideThePage}{' '}
        <code>{'{"server": "https://example.org"}'}</code>
      </p>
    </section>
  );
}

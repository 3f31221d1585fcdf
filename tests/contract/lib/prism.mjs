// Starts Prism for one specification: as a proxy that judges what passes, or as a mock that answers from the examples.

import { createRequire } from 'node:module';
import path from 'node:path';
import { freePort, listens, start, waitFor } from './processes.mjs';

const require = createRequire( import.meta.url );
const folder = path.dirname( require.resolve( '@stoplight/prism-cli/package.json' ) );
const program = path.join( folder, 'dist', 'index.js' );

/** @param upstream Where the proxy forwards to; none makes a mock. */
export async function prism( spec, work, upstream = null ) {
	const port = await freePort();
	const what = upstream ? [ 'proxy', spec.file, upstream, '--errors' ] : [ 'mock', spec.file ];
	const name = `prism-${ upstream ? 'proxy' : 'mock' }-${ spec.name }`;
	const server = start( name, process.execPath, [ program, ...what, '--host', '127.0.0.1', '--port', String( port ) ], work );
	await waitFor( server, 120, () => listens( port ) );
	return { port, stop: server.stop };
}

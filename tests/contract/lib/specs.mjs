// Finds specifications, tells which connector they are of and where their paths begin, and makes the copies that Prism
// reads. Knows nothing of servers.

import fs from 'node:fs';
import path from 'node:path';
import yaml from '@stoplight/yaml';

/** What was given cannot be used; the message says why. */
export class Unusable extends Error {}

/** Given by hand, or all of a folder whose names are those of a connector with or without a version. */
export function find( env, connectors ) {
	if ( env.SPEC ) {
		if ( ! connectors.includes( env.CONNECTOR ) ) {
			throw new Unusable( `CONNECTOR=${ env.CONNECTOR ?? '' } is none of ${ connectors.join( ', ' ) }` );
		}
		return [ { file: path.resolve( env.SPEC ), connector: env.CONNECTOR } ];
	}
	if ( ! fs.existsSync( env.SPECS ) ) {
		throw new Unusable( `there is no folder ${ env.SPECS }` );
	}
	const found = [];
	for ( const name of fs.readdirSync( env.SPECS ).sort() ) {
		const [ , connector ] = /^([a-z0-9]+)(?:-(?:v\d+|openapi))?\.(?:json|ya?ml)$/.exec( name ) ?? [];
		if ( connectors.includes( connector ) ) {
			found.push( { file: path.resolve( env.SPECS, name ), connector } );
		}
	}
	return found;
}

/** Writes Prism's copy into `folder`. */
export function load( { file, connector }, folder ) {
	let document;
	try {
		const text = fs.readFileSync( file, 'utf8' );
		document = file.endsWith( '.json' ) ? JSON.parse( text ) : yaml.parse( text );
	} catch ( reason ) {
		throw new Unusable( `${ file } cannot be read: ${ reason.message }` );
	}
	if ( ! document?.openapi || ! document.paths ) {
		throw new Unusable( `${ file } is no OpenAPI document` );
	}
	const name = path.basename( file ).replace( /\.[a-z]+$/, '' );
	const amended = admitNull( document );
	const copy = path.join( folder, `${ name }.json` );
	fs.writeFileSync( copy, JSON.stringify( document ) );
	return { name, connector, file: copy, amended, prefixes: prefixes( document ) };
}

/**
 * Specifications contradict themselves about null: a description says that the member "will be `null`" and the schema
 * beside it forgot to, or the type has null and the list of values forgot it. Servers do as the first one says, so null
 * is let pass there, and there only. Returns how many there were.
 */
function admitNull( node ) {
	if ( null === node || 'object' !== typeof node ) {
		return 0;
	}
	let amended = 0;
	const { type, description } = node;
	if ( 'string' === type && ! node.nullable && ! node.enum && 'string' === typeof description && /\bwill be `?null`?/.test( description ) ) {
		node.nullable = true;
		amended++;
	}
	const nullable = true === node.nullable || ( Array.isArray( type ) && type.includes( 'null' ) );
	if ( nullable && Array.isArray( node.enum ) && ! node.enum.includes( null ) ) {
		node.enum.push( null );
		amended++;
	}
	for ( const value of Object.values( node ) ) {
		amended += admitNull( value );
	}
	return amended;
}

/** The paths of the servers; `/v1` may be written `/api/v1`, as hosts of companies have it. */
function prefixes( document ) {
	const found = new Set();
	for ( const server of document.servers ?? [] ) {
		let url = server.url;
		for ( const [ name, variable ] of Object.entries( server.variables ?? {} ) ) {
			url = url.replaceAll( `{${ name }}`, variable.default ?? '' );
		}
		const base = new URL( url, 'http://localhost' ).pathname.replace( /\/$/, '' );
		found.add( base );
		if ( /^\/v\d+$/.test( base ) ) {
			found.add( `/api${ base }` );
		}
	}
	// The longest first: it is the one that a path is meant for.
	return [ ...found ].sort( ( a, b ) => b.length - a.length );
}

// Stands between a client and Prism. Sends each request to the Prism of the specification that it belongs to, counts, and
// keeps what Prism objects to: Prism itself tells only the client, which may not repeat it.

import http from 'node:http';

/** Answers of Prism's own, instead of the server's. */
const PROBLEM = 'application/problem+json';

export class Judge {
	/** Requests judged, by the specification's name. */
	judged = {};
	/** `{ spec, what, message }` */
	violations = [];
	/** Requests that no specification knows of: sent past Prism. */
	passed = 0;

	/**
	 * @param routes `{ prefix, spec, port }`, port of its Prism; the longest prefix first.
	 * @param rest Origin for everything else.
	 * @param outside Paths below a prefix, as RegExp, that are no part of the specification.
	 */
	constructor( routes, rest, outside = [] ) {
		this.routes = routes;
		this.rest = rest;
		this.outside = outside;
		this.server = http.createServer( ( request, response ) => {
			this.answer( request, response ).catch( ( reason ) => {
				this.violations.push( { spec: '', what: `${ request.method } ${ request.url }`, message: String( reason ) } );
				response.writeHead( 502, { 'content-type': 'text/plain' } ).end( 'the judge could not forward this' );
			} );
		} );
	}

	async listen() {
		await new Promise( ( resolve ) => this.server.listen( 0, '127.0.0.1', resolve ) );
		this.origin = `http://127.0.0.1:${ this.server.address().port }`;
	}

	async stop() {
		this.server.closeAllConnections();
		await new Promise( ( resolve ) => this.server.close( resolve ) );
	}

	async answer( request, response ) {
		const parts = [];
		for await ( const part of request ) {
			parts.push( part );
		}
		const [ path ] = request.url.split( '?' );
		const below = ( one ) => path.startsWith( `${ one.prefix }/` );
		const apart = ( one ) => this.outside.some( ( pattern ) => pattern.test( path.slice( one.prefix.length ) ) );
		const route = this.routes.find( below );
		const known = route && ! apart( route ) ? route : null;
		const target = known ? `http://127.0.0.1:${ known.port }${ request.url.slice( known.prefix.length ) }` : this.rest + request.url;
		const got = await forward( request, target, Buffer.concat( parts ) );
		if ( known ) {
			this.judged[ known.spec ] = ( this.judged[ known.spec ] ?? 0 ) + 1;
			for ( const message of objections( got ) ) {
				this.violations.push( { spec: known.spec, what: `${ request.method } ${ request.url }`, message } );
			}
		} else {
			this.passed++;
		}
		response.writeHead( got.status, got.headers ).end( got.body );
	}
}

function forward( request, target, body ) {
	const headers = { ...request.headers };
	for ( const name of [ 'host', 'connection', 'transfer-encoding', 'expect' ] ) {
		delete headers[ name ];
	}
	if ( body.length > 0 ) {
		headers[ 'content-length' ] = String( body.length );
	}
	return new Promise( ( resolve, reject ) => {
		const call = http.request( target, { method: request.method, headers, agent: false }, ( answer ) => {
			const parts = [];
			answer.on( 'data', ( part ) => parts.push( part ) );
			answer.on( 'error', reject );
			answer.on( 'end', () => {
				const kept = { ...answer.headers };
				delete kept.connection;
				delete kept[ 'transfer-encoding' ];
				const whole = Buffer.concat( parts );
				kept[ 'content-length' ] = String( whole.length );
				resolve( { status: answer.statusCode, headers: kept, body: whole } );
			} );
		} );
		call.on( 'error', reject );
		call.end( body );
	} );
}

/** What Prism says is wrong with the request or the answer. A status that is not in the specification is only a warning. */
export function objections( { headers, body } ) {
	const all = [];
	if ( headers[ 'content-type' ]?.startsWith( PROBLEM ) ) {
		const problem = JSON.parse( body.toString() );
		const details = ( problem.validation ?? [] ).map( ( one ) => `${ ( one.location ?? [] ).join( '.' ) }: ${ one.message }` );
		all.push( ...( details.length > 0 ? details : [ `${ problem.title } ${ problem.detail ?? '' }` ] ) );
	} else if ( headers[ 'sl-violations' ]?.startsWith( '[' ) ) {
		for ( const one of JSON.parse( headers[ 'sl-violations' ] ) ) {
			if ( 'Error' === one.severity ) {
				all.push( `${ ( one.location ?? [] ).join( '.' ) }: ${ one.message }` );
			}
		}
	} else if ( headers[ 'sl-violations' ] ) {
		all.push( headers[ 'sl-violations' ] );
	}
	return all;
}

/**
 * "Sync now", "Sync all", "Cancel" and live progress on the Overview screen.
 *
 * The buttons are plain forms that work without this file (they only queue a run). With it, a click starts a run over REST and this
 * screen then does the work itself: it asks for short slices, one at a time and in turn between tenants, until each run has ended. So a
 * click works although WP-Cron is off, and closing the screen loses nothing: the run stays queued for the next worker.
 *
 * Every text from the server goes into the page as text, never as markup.
 */
( function ( wp, settings ) {
	'use strict';

	if ( ! wp || ! wp.apiFetch || ! settings ) {
		return;
	}

	const { __, _n, sprintf } = wp.i18n;
	const NAMESPACE = '/tenant-crm-sync/v1/sync';
	const SLICE_SECONDS = 2; // The server's limit is 5; shorter slices show progress sooner.
	const IDLE_MS = 1500; // Pause after a slice that did nothing, for example because another worker has the run.
	const RETRY_MS = 5000;
	const FRESH_MS = 400; // Runs that end together are shown by one look at the server.
	const MAX_RETRIES = 12;
	const SPEAK_EVERY_MS = 15000;
	const FINAL = [ 'done', 'failed', 'cancelled' ];

	/** Runs this screen looks after, by run id, in turn. */
	const jobs = new Map();
	let turning = false;

	const pause = ( ms ) => new Promise( ( resolve ) => setTimeout( resolve, ms ) );
	const number = ( value ) => Number( value || 0 ).toLocaleString( settings.locale || undefined );
	const say = ( text, how ) => wp.a11y && wp.a11y.speak( text, how || 'polite' );
	const api = ( path, method, data ) => wp.apiFetch( { path: NAMESPACE + path, method: method || 'GET', data } );
	const ended = ( run ) => FINAL.includes( run.state );

	function plain( error ) {
		if ( error && [ 'rest_cookie_invalid_nonce', 'rest_not_logged_in' ].includes( error.code ) ) {
			return __( 'Your session has ended. Reload this page and log in again.', 'tenant-crm-sync' );
		}
		if ( error && error.message && error.code !== 'fetch_error' && error.code !== 'invalid_json' ) {
			return error.message;
		}
		return __( 'The site did not answer.', 'tenant-crm-sync' );
	}

	/** Only trouble on the way is worth another try; what the server refuses stays refused. */
	function passing( error ) {
		if ( String( error && error.code ).startsWith( 'tenant_crm_' ) ) {
			return false;
		}
		const status = error && error.data && error.data.status;
		return ! status || status >= 500;
	}

	function rowOf( tenant ) {
		return Array.from( document.querySelectorAll( '.tcs-sync' ) ).find( ( box ) => box.dataset.tenant === tenant ) || null;
	}

	/** The parts of a tenant's row that change. A tenant on another page of the table has no row. */
	function show( job, note ) {
		const box = rowOf( job.tenant );
		summary();
		if ( ! box ) {
			return;
		}
		const { run } = job;
		const over = ended( run );
		// A run that waits for its next try can be pushed.
		box.querySelector( '.tcs-start' ).hidden = ! over && run.state !== 'waiting';
		box.querySelector( '.tcs-stop' ).hidden = over;
		const meter = box.querySelector( '.tcs-meter' );
		meter.hidden = over || run.state === 'waiting';
		gauge( meter, job );
		box.querySelector( '.tcs-progress' ).textContent = note || progress( job );
		box.classList.toggle( 'is-failed', run.state === 'failed' || !! job.broken );

		const line = box.closest( 'tr' );
		const cell = ( name, text ) => {
			const part = line && line.querySelector( name );
			if ( part && typeof text === 'string' ) {
				part.textContent = text;
			}
		};
		cell( '.tcs-state', run.message );
		cell( '.tcs-remedy', run.remedy || '' );
		cell( '.tcs-error', run.error || '' );
		cell( '.tcs-counts', run.counts );
		if ( typeof run.records === 'number' ) {
			cell( '.tcs-records', number( run.records ) );
		}
		const badge = line && line.querySelector( '.tcs-badge' );
		if ( badge ) {
			badge.dataset.state = run.state;
		}
	}

	/** How far a run is, from what its tenant's last syncs read; nothing where nobody can tell, or where it is more this time. */
	function expected( job ) {
		const usual = ( settings.expected || {} )[ job.tenant ] || 0;
		return usual > job.run.fetched ? usual : 0;
	}

	function gauge( meter, job ) {
		const most = expected( job );
		if ( most ) {
			const percent = Math.round( ( job.run.fetched / most ) * 100 );
			meter.setAttribute( 'aria-valuenow', percent );
			meter.firstElementChild.style.width = `${ percent }%`;
		} else {
			meter.removeAttribute( 'aria-valuenow' );
			meter.firstElementChild.style.width = '0';
		}
	}

	/** Records a second of these runs, while this screen worked on them. */
	function pace( list ) {
		const seconds = list.reduce( ( sum, job ) => sum + job.worked, 0 ) / 1000;
		const fetched = list.reduce( ( sum, job ) => sum + job.run.fetched - job.fetchedAtStart, 0 );
		return seconds >= 0.5 && fetched > 0 ? fetched / seconds : 0;
	}

	function left( records, perSecond ) {
		const seconds = Math.max( 1, Math.ceil( records / perSecond ) );
		return seconds < 90
			/* translators: %s: number of seconds */
			? sprintf( __( 'about %s s left', 'tenant-crm-sync' ), number( seconds ) )
			/* translators: %s: number of minutes */
			: sprintf( __( 'about %s min left', 'tenant-crm-sync' ), number( Math.ceil( seconds / 60 ) ) );
	}

	/** "800 records/s", "about 20 s left": what is known of it. */
	function speed( perSecond, records ) {
		if ( ! perSecond ) {
			return [];
		}
		/* translators: %s: records in a second */
		const rate = sprintf( __( '%s records/s', 'tenant-crm-sync' ), number( Math.max( 1, Math.round( perSecond ) ) ) );
		return records > 0 ? [ rate, left( records, perSecond ) ] : [ rate ];
	}

	function progress( job ) {
		const { run } = job;
		if ( run.state === 'failed' || run.state === 'waiting' ) {
			return '';
		}
		const rows = sprintf(
			/* translators: %s: number of records */
			_n( '%s record', '%s records', run.fetched, 'tenant-crm-sync' ),
			number( run.fetched )
		);
		const pages = sprintf(
			/* translators: %s: number of pages */
			_n( '%s page', '%s pages', run.pages, 'tenant-crm-sync' ),
			number( run.pages )
		);
		const parts = [ rows, pages ];
		if ( ended( run ) ) {
			const took = Math.max( 1, Math.round( ( Date.parse( run.finished_at ) - Date.parse( run.started_at || run.finished_at ) ) / 1000 ) );
			/* translators: %s: number of seconds */
			return [ ...parts, sprintf( __( '%s s', 'tenant-crm-sync' ), number( took ) ) ].join( ' · ' );
		}
		const most = expected( job );
		return [ ...parts, ...speed( pace( [ job ] ), most - run.fetched ) ].join( ' · ' );
	}

	function summary() {
		const line = document.querySelector( '.tcs-summary' );
		const stop = document.querySelector( '.tcs-stop-all' );
		if ( ! line ) {
			return;
		}
		const all = Array.from( jobs.values() );
		const open = all.filter( ( job ) => ! job.over );
		if ( stop ) {
			stop.hidden = open.length < 2;
		}
		if ( all.length < 2 ) {
			line.textContent = '';
			return;
		}
		const rows = number( all.reduce( ( sum, job ) => sum + job.run.fetched - job.fetchedAtStart, 0 ) );
		if ( ! open.length ) {
			line.textContent = sprintf(
				/* translators: 1: number of tenants, 2: number of records */
				__( 'All %1$s tenants finished, %2$s records read.', 'tenant-crm-sync' ),
				number( all.length ),
				rows
			);
			return;
		}
		const pages = all.reduce( ( sum, job ) => sum + job.run.pages, 0 );
		const known = open.every( ( job ) => expected( job ) );
		const rest = known ? open.reduce( ( sum, job ) => sum + expected( job ) - job.run.fetched, 0 ) : 0;
		line.textContent = [
			sprintf(
				/* translators: 1: tenants that have ended, 2: all tenants, 3: number of records */
				__( '%1$s of %2$s tenants finished, %3$s records read', 'tenant-crm-sync' ),
				number( all.length - open.length ),
				number( all.length ),
				rows
			),
			/* translators: %s: number of pages */
			sprintf( _n( '%s page', '%s pages', pages, 'tenant-crm-sync' ), number( pages ) ),
			...speed( pace( all ), rest ),
		].join( ' · ' );
	}

	let looking = null;

	/** Once a run has ended, health, sums and chart are another: the server's own page has them. */
	function refresh() {
		clearTimeout( looking );
		looking = setTimeout( async () => {
			try {
				const answer = await fetch( window.location.href, { credentials: 'same-origin' } );
				const page = answer.ok ? new DOMParser().parseFromString( await answer.text(), 'text/html' ) : null;
				if ( page ) {
					adopt( page );
				}
			} catch ( error ) {
				// What is shown stays as it is; the next run that ends asks again.
			}
		}, FRESH_MS );
	}

	function adopt( page ) {
		const replace = ( old, fresh ) => {
			if ( old && fresh && ! old.contains( document.activeElement ) ) {
				old.replaceWith( document.importNode( fresh, true ) );
			}
		};
		replace( document.querySelector( '.tcs-glance' ), page.querySelector( '.tcs-glance' ) );
		replace( document.querySelector( '.tcs-overview .subsubsub' ), page.querySelector( '.tcs-overview .subsubsub' ) );
		page.querySelectorAll( '.tcs-sync' ).forEach( ( box ) => {
			const here = rowOf( box.dataset.tenant );
			const job = Array.from( jobs.values() ).find( ( one ) => one.tenant === box.dataset.tenant );
			// Of a run that goes on this screen knows more.
			if ( ! here || ! job || ! job.over || job.broken ) {
				return;
			}
			box.closest( 'tr' ).querySelectorAll( 'td:not(.column-sync):not(.column-name)' ).forEach( ( cell, nth ) => {
				replace( here.closest( 'tr' ).querySelectorAll( 'td:not(.column-sync):not(.column-name)' )[ nth ], cell );
			} );
		} );
	}

	function announce( job ) {
		const now = Date.now();
		if ( ended( job.run ) || now - job.spoke >= SPEAK_EVERY_MS ) {
			job.spoke = now;
			const text = ended( job.run ) ? [ job.run.message, job.run.remedy || job.run.error, job.run.counts ].filter( Boolean ).join( ' ' ) : progress( job );
			/* translators: 1: tenant, 2: progress or result */
			say( sprintf( __( '%1$s: %2$s', 'tenant-crm-sync' ), job.run.label || job.tenant, text ), job.run.state === 'failed' ? 'assertive' : 'polite' );
		}
	}

	function watch( run, pushed ) {
		const known = jobs.get( run.id );
		const job = known && ! known.over ? known : {
			tenant: run.tenant,
			fetchedAtStart: run.state === 'queued' ? 0 : run.fetched,
			worked: 0,
			spoke: 0,
			retries: 0,
			served: 0,
			notBefore: 0,
			over: false,
		};
		job.run = run;
		job.over = ended( run );
		job.pushed = !! pushed;
		if ( pushed ) {
			job.notBefore = 0;
		}
		// Earlier runs of this tenant are history; the summary counts tenants.
		jobs.forEach( ( old, id ) => {
			if ( old.over && old.tenant === run.tenant ) {
				jobs.delete( id );
			}
		} );
		jobs.set( run.id, job );
		show( job );
		announce( job );
		turn();
	}

	function accept( job, run ) {
		// A slice that was under way while the user cancelled must not bring the run back.
		if ( job.over ) {
			return;
		}
		job.run = run;
		job.retries = 0;
		job.over = ended( run );
		const box = rowOf( job.tenant );
		// "Cancel" may have the keyboard's focus, and is about to go.
		const focused = job.over && box && box.querySelector( '.tcs-stop' ).contains( document.activeElement );
		show( job );
		announce( job );
		if ( focused ) {
			box.querySelector( '.tcs-start button' ).focus();
		}
		if ( job.over ) {
			refresh();
		}
	}

	function give( job, error ) {
		job.retries += 1;
		if ( passing( error ) && job.retries <= MAX_RETRIES ) {
			job.notBefore = Date.now() + RETRY_MS;
			/* translators: %s: reason */
			show( job, sprintf( __( '%s Trying again in 5 seconds.', 'tenant-crm-sync' ), plain( error ) ) );
			return;
		}
		job.over = true;
		job.broken = true;
		job.run = Object.assign( {}, job.run, { state: 'failed', message: __( 'Stopped on this screen', 'tenant-crm-sync' ), error: plain( error ), remedy: '' } );
		show( job );
		announce( job );
	}

	async function work( job ) {
		const before = job.run;
		const wait = before.state === 'waiting' && before.retry_at && ! job.pushed ? Date.parse( before.retry_at ) - Date.now() : 0;
		const began = Date.now();
		job.served = began;
		job.pushed = false;
		try {
			const run = wait > 0
				? await api( '/' + before.id )
				: await api( '/' + before.id + '/slice', 'POST', { seconds: SLICE_SECONDS } );
			const moved = run.fetched > before.fetched || run.pages > before.pages;
			if ( moved ) {
				job.worked += Date.now() - began;
			} else {
				job.notBefore = Date.now() + ( wait > 0 ? Math.min( wait, RETRY_MS ) : IDLE_MS );
			}
			accept( job, run );
		} catch ( error ) {
			give( job, error );
		}
	}

	/** One request at a time, so that a screen never takes more than one PHP worker. */
	async function turn() {
		if ( turning ) {
			return;
		}
		turning = true;
		for (;;) {
			const open = Array.from( jobs.values() ).filter( ( job ) => ! job.over );
			if ( ! open.length ) {
				break;
			}
			const due = open.filter( ( job ) => job.notBefore <= Date.now() );
			if ( ! due.length ) {
				await pause( 250 );
				continue;
			}
			await work( due.reduce( ( first, job ) => ( job.served < first.served ? job : first ) ) );
		}
		turning = false;
	}

	/** Not `disabled`: a disabled button loses the keyboard's focus. Clicks on a busy form are dropped by the submit handler. */
	function busy( form, on ) {
		form.classList.toggle( 'is-busy', on );
		const button = form.querySelector( 'button' );
		button.setAttribute( 'aria-disabled', on ? 'true' : 'false' );
		button.classList.toggle( 'disabled', on );
	}

	async function start( tenant ) {
		const box = rowOf( tenant );
		const form = box && box.querySelector( '.tcs-start' );
		if ( form ) {
			busy( form, true );
			box.classList.remove( 'is-failed' );
			box.querySelector( '.tcs-progress' ).textContent = __( 'Starting…', 'tenant-crm-sync' );
		}
		try {
			const run = await api( '', 'POST', { tenant } );
			const focused = form && form.contains( document.activeElement );
			watch( run, true );
			if ( focused && ! ended( run ) ) {
				box.querySelector( '.tcs-stop button' ).focus();
			}
		} catch ( error ) {
			if ( box ) {
				box.classList.add( 'is-failed' );
				box.querySelector( '.tcs-progress' ).textContent = plain( error );
			}
			say( plain( error ), 'assertive' );
		} finally {
			if ( form ) {
				busy( form, false );
			}
		}
	}

	async function cancel( box ) {
		const job = Array.from( jobs.values() ).find( ( one ) => one.tenant === box.dataset.tenant && ! one.over );
		const id = job ? job.run.id : Number( box.dataset.run );
		const form = box.querySelector( '.tcs-stop' );
		busy( form, true );
		try {
			const run = await api( '/' + id, 'DELETE' );
			if ( job ) {
				accept( job, run );
			} else {
				watch( run );
			}
		} catch ( error ) {
			box.querySelector( '.tcs-progress' ).textContent = plain( error );
			say( plain( error ), 'assertive' );
		} finally {
			busy( form, false );
		}
	}

	document.addEventListener( 'click', ( event ) => {
		if ( event.target.closest( '.tcs-stop-all' ) ) {
			const open = Array.from( jobs.values() ).filter( ( job ) => ! job.over );
			open.reduce( ( before, job ) => before.then( () => api( '/' + job.run.id, 'DELETE' ) ).then( ( run ) => accept( job, run ) ), Promise.resolve() )
				.catch( ( error ) => say( plain( error ), 'assertive' ) );
			document.querySelector( '.tcs-all button' ).focus();
		}
	} );

	document.addEventListener( 'submit', ( event ) => {
		const form = event.target;
		const box = form.closest( '.tcs-sync' );
		if ( form.matches( '.is-busy' ) ) {
			event.preventDefault();
		} else if ( box && form.matches( '.tcs-start' ) ) {
			event.preventDefault();
			start( box.dataset.tenant );
		} else if ( box && form.matches( '.tcs-stop' ) ) {
			event.preventDefault();
			cancel( box );
		} else if ( form.matches( '.tcs-all' ) ) {
			event.preventDefault();
			busy( form, true );
			( settings.tenants || [] )
				.reduce( ( before, tenant ) => before.then( () => start( tenant ) ), Promise.resolve() )
				.then( () => busy( form, false ) );
		}
	} );

	// Runs that were open when the page was made: follow them, and help.
	( settings.runs || [] ).forEach( ( run ) => watch( run ) );
}( window.wp, window.tenantCrmSync ) );

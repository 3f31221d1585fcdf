/**
 * How runs look on the Overview screen: each tenant's row, its gauge, the line that sums them up. What the runs do is the business of sync.js.
 *
 * Every text from the server goes into the page as text, never as markup.
 */
( function ( wp, settings ) {
	'use strict';

	if ( ! wp || ! wp.i18n || ! settings ) {
		return;
	}

	const { __, _n, sprintf } = wp.i18n;
	const FRESH_MS = 400; // Runs that end together are shown by one look at the server.
	const FINAL = [ 'done', 'failed', 'cancelled' ];

	const number = ( value ) => Number( value || 0 ).toLocaleString( settings.locale || undefined );
	const ended = ( run ) => FINAL.includes( run.state );

	function rowOf( tenant ) {
		return Array.from( document.querySelectorAll( '.tcs-sync' ) ).find( ( box ) => box.dataset.tenant === tenant ) || null;
	}

	/** The parts of a tenant's row that change. A tenant on another page of the table has no row. */
	function row( job, note ) {
		const box = rowOf( job.tenant );
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
			? /* translators: %s: number of seconds */
				sprintf( __( 'about %s s left', 'tenant-crm-sync' ), number( seconds ) )
			: /* translators: %s: number of minutes */
				sprintf( __( 'about %s min left', 'tenant-crm-sync' ), number( Math.ceil( seconds / 60 ) ) );
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

	/** What all runs of this screen have done together. */
	function summary( all ) {
		const line = document.querySelector( '.tcs-summary' );
		const stop = document.querySelector( '.tcs-stop-all' );
		if ( ! line ) {
			return;
		}
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
	function refresh( jobs ) {
		clearTimeout( looking );
		looking = setTimeout( async () => {
			try {
				const answer = await fetch( window.location.href, { credentials: 'same-origin' } );
				const page = answer.ok ? new DOMParser().parseFromString( await answer.text(), 'text/html' ) : null;
				if ( page ) {
					adopt( page, jobs() );
				}
			} catch ( error ) {
				// What is shown stays as it is; the next run that ends asks again.
			}
		}, FRESH_MS );
	}

	function adopt( page, jobs ) {
		const replace = ( old, fresh ) => {
			if ( old && fresh && ! old.contains( document.activeElement ) ) {
				old.replaceWith( document.importNode( fresh, true ) );
			}
		};
		replace( document.querySelector( '.tcs-glance' ), page.querySelector( '.tcs-glance' ) );
		replace( document.querySelector( '.tcs-overview .subsubsub' ), page.querySelector( '.tcs-overview .subsubsub' ) );
		page.querySelectorAll( '.tcs-sync' ).forEach( ( box ) => {
			const here = rowOf( box.dataset.tenant );
			const job = jobs.find( ( one ) => one.tenant === box.dataset.tenant );
			// Of a run that goes on this screen knows more.
			if ( ! here || ! job || ! job.over || job.broken ) {
				return;
			}
			box.closest( 'tr' )
				.querySelectorAll( 'td:not(.column-sync):not(.column-name)' )
				.forEach( ( cell, nth ) => {
					replace( here.closest( 'tr' ).querySelectorAll( 'td:not(.column-sync):not(.column-name)' )[ nth ], cell );
				} );
		} );
	}

	settings.view = { ended, progress, refresh, row, rowOf, summary };
} )( window.wp, window.tenantCrmSync );

/**
 * Fills the shells of the block on a page with the viewer's own leads. The page holds none of them, and no key to them either: the number that
 * the REST route wants is asked for anew by each viewer, so that a page from a cache is as good as a fresh one.
 */
( function () {
	const START = { search: '', orderby: 'updated', order: 'desc', page: 1, tenant: '' };

	async function nonce( shell ) {
		const answer = await fetch( shell.dataset.nonce, { credentials: 'same-origin', cache: 'no-store' } );
		const text = answer.ok ? await answer.text() : '';
		return /^[0-9a-z]{6,}$/i.test( text ) ? text : '';
	}

	function start( shell ) {
		const state = { ...START };
		const status = shell.querySelector( '.tcs-portal-status' );
		const form = shell.querySelector( 'form' );
		const place = shell.querySelector( '.tcs-portal-place' );
		let key = '';
		let turn = 0;

		function say( text, link ) {
			status.textContent = text;
			if ( link ) {
				const anchor = document.createElement( 'a' );
				anchor.href = link;
				anchor.textContent = shell.dataset.login;
				status.append( ' ', anchor );
			}
		}

		function ask() {
			const query = new URLSearchParams( { per_page: shell.dataset.perPage, columns: shell.dataset.columns } );
			Object.entries( state ).forEach( ( [ name, value ] ) => value !== '' && query.set( name, value ) );
			// Sites without pretty addresses have a question mark already.
			const url = shell.dataset.rest + ( shell.dataset.rest.includes( '?' ) ? '&' : '?' ) + query;
			return fetch( url, { credentials: 'same-origin', cache: 'no-store', headers: { 'X-WP-Nonce': key } } );
		}

		/** Shows what the state asks for; focus: a selector of what is to have it afterwards. */
		async function show( focus ) {
			const mine = ++turn;
			shell.setAttribute( 'aria-busy', 'true' );
			try {
				key = key || ( await nonce( shell ) );
				if ( key === '' ) {
					form.hidden = true;
					place.replaceChildren();
					say(
						shell.dataset.visitor,
						shell.dataset.loginUrl +
							( shell.dataset.loginUrl.includes( '?' ) ? '&' : '?' ) +
							new URLSearchParams( { redirect_to: window.location.href } )
					);
					return;
				}
				let answer = await ask();
				if ( answer.status === 403 && ( await answer.clone().json() ).code === 'rest_cookie_invalid_nonce' ) {
					// The page was open for longer than the number is good for.
					key = await nonce( shell );
					answer = await ask();
				}
				const data = await answer.json();
				if ( mine !== turn ) {
					return;
				}
				if ( ! answer.ok ) {
					place.replaceChildren();
					form.hidden = answer.status !== 429;
					say( data.message );
					return;
				}
				form.hidden = data.tenants === 0;
				// From our own route, escaped there.
				place.innerHTML = data.html;
				say( data.summary );
				const target = focus ? place.querySelector( focus ) : null;
				if ( target ) {
					target.focus();
				}
			} catch ( error ) {
				if ( mine === turn ) {
					say( shell.dataset.failed );
				}
			} finally {
				if ( mine === turn ) {
					shell.removeAttribute( 'aria-busy' );
				}
			}
		}

		form.addEventListener( 'submit', ( event ) => {
			event.preventDefault();
			state.search = form.elements.search.value.trim();
			state.page = 1;
			show();
		} );
		// The cross in the field empties it without a submit.
		form.elements.search.addEventListener( 'search', () => {
			if ( form.elements.search.value === '' && state.search !== '' ) {
				form.requestSubmit();
			}
		} );
		place.addEventListener( 'click', ( event ) => {
			const button = event.target.closest( 'button' );
			if ( ! button || button.getAttribute( 'aria-disabled' ) === 'true' ) {
				return;
			}
			if ( button.dataset.orderby ) {
				state.orderby = button.dataset.orderby;
				state.order = button.dataset.order;
				state.page = 1;
				show( `[data-orderby="${ state.orderby }"]` );
			} else if ( button.dataset.page ) {
				state.page = Number( button.dataset.page );
				show( `[data-way="${ button.dataset.way }"]` );
			}
		} );
		place.addEventListener( 'change', ( event ) => {
			if ( event.target.name === 'tenant' ) {
				state.tenant = event.target.value;
				state.page = 1;
				show( '[name="tenant"]' );
			}
		} );
		show();
	}

	const begin = () => document.querySelectorAll( '.tcs-portal[data-rest]' ).forEach( start );
	if ( document.readyState === 'loading' ) {
		document.addEventListener( 'DOMContentLoaded', begin );
	} else {
		begin();
	}
} )();

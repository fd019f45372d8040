// Shows the API reference of a supplier, or of the control API. Requests go through the sandbox, so the page needs no
// other origin.
'use strict';

const DOCUMENTS = { cocon: null, covage: null, onapi: null, control: null };

async function main() {
  const wanted = new URLSearchParams(location.search).get('of');
  const of = Object.hasOwn(DOCUMENTS, wanted ?? '') ? wanted : 'control';
  for (const link of document.querySelectorAll('#references a')) {
    if (link.getAttribute('href') === `?of=${of}`) link.setAttribute('aria-current', 'page');
  }
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const element = document.createElement('rapi-doc');
  const attributes = {
    'spec-url': of === 'control' ? '/openapi.json' : `/suppliers/${of}/openapi.json`,
    theme: dark ? 'dark' : 'light',
    'bg-color': dark ? '#14181d' : '#ffffff',
    'text-color': dark ? '#e7eaee' : '#1a2027',
    'primary-color': dark ? '#6cb6ff' : '#0a5fb4',
    'nav-bg-color': dark ? '#171c22' : '#f4f6f8',
    'nav-text-color': dark ? '#c3ccd6' : '#39434e',
    'nav-hover-bg-color': dark ? '#232a33' : '#e6ebf0',
    'nav-hover-text-color': dark ? '#ffffff' : '#0a3d75',
    'nav-accent-color': dark ? '#6cb6ff' : '#0a5fb4',
    'render-style': 'read',
    'nav-item-spacing': 'compact',
    'regular-font': 'system-ui, sans-serif',
    'mono-font': 'ui-monospace, monospace',
    'load-fonts': 'false',
    'show-header': 'false',
    'allow-spec-url-load': 'false',
    'allow-spec-file-load': 'false',
    'allow-server-selection': 'false',
    'allow-advanced-search': 'false',
    'schema-style': 'table',
    'default-schema-tab': 'example',
    'update-route': 'true',
  };
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (of !== 'control') await fillCredentials(element, of);
  document.getElementById('reference').append(element);
}

// Shows the credentials, and fills them in once the document is read.
async function fillCredentials(element, of) {
  const supplier = await (await fetch(`/suppliers/${of}`)).json();
  const credentials = Object.fromEntries(supplier.credentials.map(({ name, value }) => [name, value]));
  const shown = supplier.credentials.map(({ name, value }) => `${name}: ${value}`);
  document.getElementById('credentials').textContent = shown.join(' · ');
  element.addEventListener('spec-loaded', async () => {
    if (of === 'onapi') {
      element.setHttpUserNameAndPassword('Basic', credentials.User, credentials.Password);
    } else if (of === 'cocon') {
      element.setApiKey('Api-Key-Header', credentials['Api-Key']);
      element.setApiKey('Client-Id-Header', credentials['Client-Id']);
    } else {
      const login = supplier.example.find((step) => step.sets?.variable === 'TOKEN');
      const { method, headers, body } = login;
      const answer = await (await fetch(`/try/${of}${login.path}`, { method, headers, body })).json();
      element.setApiKey('Bearer', answer.access);
    }
  });
}

main();

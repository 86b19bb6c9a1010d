import { render } from 'preact';
import { createApi } from './api/client.ts';
import { App } from './app.tsx';
import './styles/base.css';
import './styles/overview.css';
import './styles/tables.css';
import './styles/view.css';
import './styles/cost.css';
import './styles/what-if.css';

const root = document.getElementById('app');
if (root !== null) render(<App api={createApi(location)} />, root);

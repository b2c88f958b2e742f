import fastify from 'fastify';
import { report } from './report.ts';

const http = fastify();
http.get('/noop', () => ({ ok: true }));
http.post('/noop', () => ({ ok: true }));
report(await http.listen({ host: '127.0.0.1', port: 0 }));

// GET /api/v1/config: the configuration in force, as `motte config show --json` prints it.

import { EffectiveConfig } from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';

export function addConfigRoutes(app: FastifyInstance, view: AdminView): void {
  app.get('/api/v1/config', { schema: { response: { 200: EffectiveConfig } } }, async (): Promise<EffectiveConfig> => {
    return { format: 1, number: view.configNumber, config: { ...view.config() } };
  });
}

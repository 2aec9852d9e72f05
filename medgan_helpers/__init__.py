"""Helpers of the MedGAN course. A file holds one idea, a folder holds an idea of several files.

Imports point one way, from the end of this list to its beginning: checks, profiles, artifacts, chexpert,
images, simulator, slabs, real_films, session, display, fista, tomography, degradation, restoration,
training, augmentation, diffaugment, local_contrast, dcgan, pix2pix, restorers, stargan, lesion_gan, flow,
classifier, stargan_robust, metrics, chest_measures, repair_trial, stargan_trial, cam, real_trial,
experiments, shortcut, paper_faults, reader_study, paragraphs, figures, exercises.
"""

__version__ = "0.1.0"

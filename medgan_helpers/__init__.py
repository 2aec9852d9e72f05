"""Helpers of the MedGAN course: one module an idea.

Reading order: profiles, artifacts, chexpert, simulator, images, degradation, restoration,
augmentation, training, dcgan, pix2pix, stargan, classifier, metrics, experiments, cam, figures.
"""

__version__ = "0.1.0"
